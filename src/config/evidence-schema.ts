import { z } from 'zod';
import { absolutePath } from './schema-parts.ts';

function room(megabytes: number) {
  return z.number().int().min(1).max(1_000_000).default(megabytes).meta({
    title: 'Room, MB',
    description: 'Above this the oldest are deleted; each deletion is written to evictions.jsonl.',
  });
}

/** Section `evidence`. */
export const evidenceSchema = z.strictObject({
  faces: z
    .strictObject({ retain_mb: room(64) })
    .prefault({})
    .meta({ title: 'Faces', description: 'The best face of each event.' }),
  thumbnails: z
    .strictObject({ retain_mb: room(64) })
    .prefault({})
    .meta({ title: 'Thumbnails', description: 'A small picture of what raised an alert.' }),
  clips: z
    .strictObject({
      enabled: z.boolean().default(true).meta({
        title: 'Clips',
        description: 'Whether the moments around an alert are kept as video.',
      }),
      pre_s: z.number().min(0).max(60).default(5).meta({
        title: 'Before, seconds',
        description: 'How much is kept from before the alert. It begins at a key frame.',
      }),
      post_s: z.number().min(0).max(60).default(5).meta({
        title: 'After, seconds',
        description: 'How much is kept from after the alert.',
      }),
      max_s: z.number().min(10).max(600).default(60).meta({
        title: 'Longest, seconds',
        description: 'Alerts that follow each other make one clip up to this length.',
      }),
      retain_mb: room(1024),
      ring_dir: absolutePath.optional().meta({
        title: 'Folder of the newest packets',
        description:
          'Each camera’s stream is written there all the time, so it belongs in memory. When left out, the folder ' +
          'that systemd gives below /run, else one for temporary files.',
      }),
      ring_mb: z.number().int().min(1).max(4096).default(64).meta({
        title: 'Room of a camera’s packets, MB',
        description: 'More is never kept in memory, even where a clip would need it.',
      }),
    })
    .prefault({})
    .meta({ title: 'Clips', description: 'Video around an alert, as the camera sent it.' }),
  upstream: z
    .strictObject({
      thumbnails: z.boolean().default(true).meta({
        title: 'Thumbnails of alerts',
        description: 'Whether the small picture of an alert follows it to the hub.',
      }),
      requests: z.boolean().default(true).meta({
        title: 'On request',
        description: 'Whether the hub may ask for snapshots, faces, thumbnails and clips.',
      }),
      daily_mb: z
        .number()
        .int()
        .min(0)
        .max(1_000_000)
        .default(200)
        .meta({
          title: 'Each day, MB',
          description:
            'No more evidence than this is sent in a day (UTC), thumbnails and requests together. ' +
            'Alerts and events are sent in any case.',
        }),
    })
    .prefault({})
    .meta({ title: 'To the hub', description: 'What of the evidence leaves the box.' }),
});
