import { z } from 'zod';
import { alertsSchema } from './alert-schema.ts';
import { apiSchema } from './api-schema.ts';
import { cameraId, cameraSchema } from './camera-schema.ts';
import { evidenceSchema } from './evidence-schema.ts';
import { facesSchema } from './face-schema.ts';
import { parseHostPattern } from './host-pattern.ts';
import { hubSchema } from './hub-schema.ts';
import { journalSchema } from './journal-schema.ts';
import { peopleSchema } from './people-schema.ts';
import { ruleSchema } from './rule-schema.ts';
import { absolutePath, fileOfSecret, oneSecretOnly, tokenSource } from './schema-parts.ts';
import { ruleWord } from './zone-schema.ts';

// Keys are spelled as in the file (snake_case), here and everywhere in the program.

const edgeSchema = z.strictObject({
  id: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      'letters, digits, . _ and -, starting with a letter or digit, at most 63 long',
    )
    .optional()
    .meta({
      title: 'Name of this box',
      description:
        'How the hub calls this box. When left out, one is made once and kept in `data_dir`.',
    }),
  data_dir: absolutePath.default('/var/lib/apex-edge').meta({
    title: 'Data folder',
    description: 'Database, snapshots and prepared models. On a local disk; absolute.',
  }),
});

const uplinkTlsSchema = z
  .strictObject({
    ca_file: fileOfSecret.optional().meta({
      title: 'Authority',
      description: 'PEM file of the authorities to trust instead of those of the system.',
    }),
    cert_file: fileOfSecret.optional().meta({
      title: 'Certificate',
      description: 'PEM file of the certificate that this box shows to the hub.',
    }),
    key_file: fileOfSecret.optional().meta({
      title: 'Key',
      description: 'PEM file of the private key that belongs to `cert_file`.',
    }),
    pin_sha256: z
      .array(z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'the base64 form of a SHA-256 digest'))
      .default([])
      .meta({
        title: 'Pins',
        description: 'Base64 SHA-256 digests of the only public keys that the hub may have.',
      }),
  })
  .superRefine(
    (tls, context) => {
      if (typeof tls !== 'object' || tls === null) return;
      const { cert_file: cert, key_file: key } = tls;
      if ((cert === undefined) === (key === undefined)) return;
      const missing = cert === undefined ? 'cert_file' : 'key_file';
      const given = cert === undefined ? 'key_file' : 'cert_file';
      context.addIssue({ code: 'custom', path: [given], message: `${missing} beside it` });
    },
    { when: () => true },
  );

const allowedAddressSchema = z.strictObject({
  scheme: z.enum(['rtsp', 'rtsps']).meta({
    title: 'Scheme',
    description: 'rtsp or rtsps. An address of any other is never opened.',
  }),
  host: z
    .string()
    .refine((text) => parseHostPattern(text) !== null, {
      error: 'a name, an address, a network like 10.0.7.0/24 or *.suffix',
    })
    .meta({
      title: 'Host',
      description:
        'A name, an address, a network like 10.0.7.0/24 (for literal addresses; names are not looked up) or *.suffix.',
    }),
  port: z.number().int().min(1).max(65_535).optional().meta({
    title: 'Port',
    description: 'The usual one when left out: 554, or 322 for rtsps.',
  }),
});

const streamRequestsSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({
    title: 'Enabled',
    description:
      'Whether viewers of the hub may have cameras of this file started, stopped and changed.',
  }),
  allow_addresses: z.array(allowedAddressSchema).max(256).default([]).meta({
    title: 'Allowed addresses',
    description:
      'Addresses of other cameras that the hub may have this box open. None when left out.',
  }),
});

const uplinkSchema = z
  .strictObject({
    url: z.string().optional().meta({
      title: 'Address of the hub',
      description: 'ws:// or wss://. When left out, the box works alone and keeps what it finds.',
    }),
    ...tokenSource,
    compression: z.enum(['off', 'deflate']).default('off').meta({
      title: 'Compression',
      description: '`deflate` makes batches about five times smaller, for time of the processor.',
    }),
    stream_requests: streamRequestsSchema.prefault({}).meta({
      title: 'Stream requests',
      description: 'What viewers of the hub may have this box do with cameras.',
    }),
    tls: uplinkTlsSchema.prefault({}).meta({
      title: 'TLS',
      description: 'For wss:// beyond the authorities that the system trusts.',
    }),
  })
  .superRefine(
    (uplink, context) => {
      if (typeof uplink !== 'object' || uplink === null) return;
      const report = (key: string, allowed: string): void =>
        context.addIssue({ code: 'custom', path: [key], message: allowed });
      if (typeof uplink.url === 'string') checkHubAddress(uplink.url, report);
      oneSecretOnly({ token: uplink.token, token_file: uplink.token_file }, report);
    },
    { when: () => true },
  );

function checkHubAddress(text: string, report: (key: string, allowed: string) => void): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['ws:', 'wss:'].includes(url.protocol) || url.hostname === '')
    report('url', 'an address like wss://hub.example.org/ or ws://host:8080/');
  else if (url.username !== '' || url.password !== '' || url.hash !== '')
    report('url', 'an address without user name and #; the token has a key of its own');
}

const outboxSchema = z.strictObject({
  budget_mb: z.number().min(16).max(65_536).optional().meta({
    title: 'Room for messages, MB',
    description:
      'Room that messages for the hub may take on the disk. When left out, a tenth of it, at most 256 MB.',
  }),
  durability: z.enum(['standard', 'strict']).default('standard').meta({
    title: 'Durability',
    description:
      '`strict` writes detections to disk before they are sent, as alerts and events always are.',
  }),
});

const detectorSchema = z.strictObject({
  model: z.string().min(1).default('yolov8n').meta({
    title: 'Model',
    description:
      'Name of an installed model (`apex-edge models list`), or the absolute path of one.',
  }),
  provider: z.enum(['auto', 'tensorrt', 'cuda', 'cpu']).default('auto').meta({
    title: 'Execution provider',
    description: '`auto` takes the fastest that passes a timed run; a name tries only that one.',
  }),
  workers: z.number().int().min(1).max(16).optional().meta({
    title: 'Inference workers',
    description: 'Inference sessions side by side. When left out, chosen by provider and cores.',
  }),
  threads_per_worker: z.number().int().min(1).max(16).default(1).meta({
    title: 'Threads of each worker',
    description: 'CPU threads of each session. More workers beat more threads.',
  }),
});

const snapshotsSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({
    title: 'Enabled',
    description: 'Keep the best picture of each event.',
  }),
  max_width: z.number().int().min(64).max(3840).default(1280).meta({
    title: 'Largest width, pixels',
    description: 'Wider pictures are scaled down.',
  }),
  max_height: z.number().int().min(64).max(2160).default(720).meta({
    title: 'Largest height, pixels',
    description: 'Higher pictures are scaled down.',
  }),
  retain_mb: z.number().min(1).default(512).meta({
    title: 'Room for snapshots, MB',
    description: 'Above this the oldest snapshots are deleted.',
  }),
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const configSchema = z
  .strictObject({
    edge: edgeSchema.prefault({}).meta({
      title: 'This box',
      description: 'Its name and where it keeps its data.',
    }),
    uplink: uplinkSchema.prefault({}).meta({
      title: 'Uplink',
      description: 'The hub that results are sent to.',
    }),
    outbox: outboxSchema.prefault({}).meta({
      title: 'Outbox',
      description: 'Where messages wait until the hub has them.',
    }),
    detector: detectorSchema.prefault({}).meta({
      title: 'Detector',
      description: 'The model that finds objects, and what it runs on.',
    }),
    models: z
      .strictObject({
        dir: absolutePath.optional().meta({
          title: 'Folder of models',
          description:
            'Where models are installed; `models` in `edge.data_dir` when left out. Absolute.',
        }),
      })
      .prefault({})
      .meta({ title: 'Models', description: 'Where models are installed.' }),
    ffmpeg: z
      .strictObject({
        path: z
          .string()
          .regex(/^(?:\/[^\0\r\n]+|[^/\0\r\n-][^/\0\r\n]*)$/, 'a command name or an absolute path')
          .default('ffmpeg')
          .meta({
            title: 'ffmpeg command',
            description: 'Command name, looked up in PATH, or absolute path.',
          }),
      })
      .prefault({})
      .meta({ title: 'ffmpeg', description: 'The program that reads and decodes video.' }),
    snapshots: snapshotsSchema.prefault({}).meta({
      title: 'Snapshots',
      description: 'Pictures of events.',
    }),
    evidence: evidenceSchema.prefault({}).meta({
      title: 'Evidence',
      description: 'What is kept of events and alerts beside the snapshots.',
    }),
    journal: journalSchema.prefault({}).meta({
      title: 'Journal',
      description: 'Events and alerts that are kept for looking back.',
    }),
    cameras: z.record(cameraId, cameraSchema).default({}).meta({
      title: 'Cameras',
      description: 'One entry for each camera, under its name.',
    }),
    faces: facesSchema.prefault({}).meta({
      title: 'Faces',
      description: 'How faces are compared on the cameras where that is switched on.',
    }),
    rules: z.record(ruleWord, ruleSchema).default({}).meta({
      title: 'Rules',
      description: 'When an alert is raised, under the name of the rule.',
    }),
    people: peopleSchema.prefault({}).meta({
      title: 'People',
      description: 'Whom the cameras are to recognise.',
    }),
    alerts: alertsSchema.prefault({}).meta({
      title: 'Alerts',
      description: 'Alerts that need no rule: about the health of cameras and box.',
    }),
    site: z
      .strictObject({
        time_zone: z
          .string()
          .refine(isTimeZone, { error: 'a time zone such as Europe/Berlin' })
          .optional()
          .meta({
            title: 'Time zone',
            description:
              'Of the clocks on site, for schedules; that of this machine when left out.',
          }),
      })
      .prefault({})
      .meta({ title: 'Site', description: 'Where the cameras are.' }),
    api: apiSchema.prefault({}).meta({
      title: 'Local API',
      description: 'What the box answers over HTTP: the API, the console and `/ws`.',
    }),
    hub: hubSchema.prefault({}).meta({
      title: 'Hub',
      description: 'Only read by `apex-edge hub`: the server that boxes send to.',
    }),
    log: z
      .strictObject({
        level: z.enum(['debug', 'info', 'warn', 'error']).default('info').meta({
          title: 'Log level',
          description: 'The least important lines that are written.',
        }),
      })
      .prefault({})
      .meta({ title: 'Log', description: 'JSON lines on standard output.' }),
  })
  .meta({
    title: 'apex-edge configuration',
    description: 'config.example.yaml explains every key in its place.',
  });

export type Config = z.infer<typeof configSchema>;
export type CameraConfig = Config['cameras'][string];
