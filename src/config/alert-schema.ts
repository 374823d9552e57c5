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
});
