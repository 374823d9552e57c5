import { z } from 'zod';

// Keys are spelled as in the file (snake_case), here and everywhere in the program.

const cameraId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/);
const fps = z.union([z.number().positive().max(60), z.literal('all')]);
const score = z.number().min(0).max(1);

const detectSchema = z.strictObject({
  fps: fps.default(5),
  labels: z
    .array(z.string())
    .nullable()
    .default(['person', 'bicycle', 'car', 'motorcycle', 'bus', 'truck']),
  min_score: score.default(0.4),
});

const cameraSchema = z.strictObject({
  enabled: z.boolean().default(true),
  url: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  password_file: z.string().optional(),
  transport: z.enum(['tcp', 'udp']).default('tcp'),
  path: z.string().optional(),
  pace: z.enum(['realtime', 'max']).default('realtime'),
  loop: z.boolean().default(false),
  decoder: z.enum(['auto', 'nvmpi', 'nvv4l2dec', 'cuda', 'software']).default('auto'),
  stall_timeout_s: z.number().min(1).max(600).default(10),
  frozen_timeout_s: z.number().min(0).max(86400).default(60),
  detect: detectSchema.prefault({}),
});

const tokenSource = {
  token: z.string().optional(),
  token_file: z.string().optional(),
};

export const configSchema = z.strictObject({
  edge: z
    .strictObject({
      id: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)
        .optional(),
      data_dir: z.string().default('/var/lib/apex-edge'),
    })
    .prefault({}),
  uplink: z
    .strictObject({
      url: z.string().optional(),
      ...tokenSource,
    })
    .prefault({}),
  detector: z
    .strictObject({
      model: z.string().default('yolov8n'),
      provider: z.enum(['auto', 'tensorrt', 'cuda', 'cpu']).default('auto'),
      workers: z.number().int().min(1).max(16).optional(),
      threads_per_worker: z.number().int().min(1).max(16).default(1),
    })
    .prefault({}),
  models: z.strictObject({ dir: z.string().optional() }).prefault({}),
  ffmpeg: z.strictObject({ path: z.string().default('ffmpeg') }).prefault({}),
  snapshots: z
    .strictObject({
      enabled: z.boolean().default(true),
      max_width: z.number().int().min(64).max(3840).default(1280),
      max_height: z.number().int().min(64).max(2160).default(720),
      retain_mb: z.number().min(1).default(512),
    })
    .prefault({}),
  cameras: z.record(cameraId, cameraSchema).default({}),
  hub: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: z.number().int().min(0).max(65535).default(8080),
      data_dir: z.string().default('/var/lib/apex-hub'),
      tokens: z
        .array(
          z.strictObject({
            name: z.string(),
            type: z.enum(['ai_engine', 'frontend', 'desktop_app', 'mobile_app']),
            ...tokenSource,
            token_sha256: z
              .string()
              .regex(/^[0-9a-f]{64}$/)
              .optional(),
          }),
        )
        .default([]),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') })
    .prefault({}),
});

export type Config = z.infer<typeof configSchema>;
export type CameraConfig = Config['cameras'][string];
