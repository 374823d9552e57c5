import { z } from 'zod';

const severity = (usual: 'low' | 'medium' | 'high' | 'critical') =>
  z.enum(['low', 'medium', 'high', 'critical']).default(usual).meta({
    title: 'Severity',
    description: 'How much it matters.',
  });

const enabled = z.boolean().default(true).meta({
  title: 'Enabled',
  description: 'Whether this is told at all.',
});

/** Alerts that need no rule: about the health of cameras and box. */
export const alertsSchema = z.strictObject({
  camera_offline: z
    .strictObject({
      enabled,
      grace_s: z.number().min(1).max(86_400).default(30).meta({
        title: 'Grace, seconds',
        description: 'Without a picture for so long, a camera is offline.',
      }),
      severity: severity('high'),
    })
    .prefault({})
    .meta({
      title: 'Camera offline',
      description: 'A camera sends no picture, or comes and goes; `camera_online` when it is back.',
    }),
  camera_obscured: z
    .strictObject({ enabled, severity: severity('high') })
    .prefault({})
    .meta({
      title: 'Camera obscured',
      description: 'A camera sees nothing: covered or blurred; `camera_clear` after it.',
    }),
  scene_changed: z
    .strictObject({ enabled, severity: severity('medium') })
    .prefault({})
    .meta({
      title: 'Scene changed',
      description: 'A camera shows something else than usual; `scene_restored` after it.',
    }),
  engine_degraded: z
    .strictObject({
      enabled,
      max_celsius: z.number().min(40).max(130).default(90).meta({
        title: 'Highest temperature, °C',
        description: 'Of any sensor of the box; above it the box is too hot.',
      }),
      severity: severity('medium'),
    })
    .prefault({})
    .meta({
      title: 'Engine degraded',
      description:
        'The detector is slower than it could be, or the box too hot; `engine_recovered` after it.',
    }),
  storage_low: z
    .strictObject({
      enabled,
      min_free_percent: z.number().min(0).max(90).default(5).meta({
        title: 'Least free share, percent',
        description: 'Of the file system of `edge.data_dir`; below it little is free.',
      }),
      min_free_mb: z.number().min(0).max(1_000_000).default(500).meta({
        title: 'Least free room, MB',
        description: 'The same in MB; the alert is raised below either.',
      }),
      severity: severity('medium'),
    })
    .prefault({})
    .meta({
      title: 'Storage low',
      description: 'The disk is almost full or cannot be written; `storage_recovered` after it.',
    }),
});
