import { z } from 'zod';
import { instantOf } from './expiry.ts';
import { absolutePath, fileOfSecret, listed, oneSecretOnly, tokenSource } from './schema-parts.ts';

const HUB_TOKEN_SOURCES = ['token', 'token_file', 'token_sha256'] as const;

const scope = (what: string) =>
  z.array(z.string().min(1).max(128)).default(['*']).meta({
    title: what,
    description: 'By name; `*` for all.',
  });

const scopesSchema = z.strictObject({
  cameras: scope('Cameras'),
  send: scope('Requests and messages that it may send'),
  receive: scope('Messages that it may be shown'),
  admin: z.boolean().default(false).meta({
    title: 'Administrator',
    description: 'May read statistics and change what concerns others.',
  }),
});

const hubTokenSchema = z
  .strictObject({
    name: z.string().min(1).max(63).meta({
      title: 'Name',
      description: 'Whose token it is; shown in logs and lists. Each name once.',
    }),
    type: z.enum(['ai_engine', 'frontend', 'desktop_app', 'mobile_app']).meta({
      title: 'Type of client',
      description: '`ai_engine` for an edge, which sends; the others receive.',
    }),
    ...tokenSource,
    token_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case, as `sha256sum` prints them')
      .optional()
      .meta({
        title: 'SHA-256 of the token',
        description: 'Digest of the token in hexadecimal, so that the file holds no secret.',
      }),
    scopes: scopesSchema.prefault({}).meta({
      title: 'Scopes',
      description: 'What the client may do, within what clients of its type may do at all.',
    }),
    expires: z
      .string()
      .refine(
        (text) => instantOf(text) !== null,
        'a day or an instant, as 2027-01-31 or 2027-01-31T12:00:00Z',
      )
      .optional()
      .meta({
        title: 'Expires',
        description: 'Last day (UTC) or end of its validity; it never expires without.',
      }),
  })
  .superRefine(
    (entry, context) => {
      if (typeof entry !== 'object' || entry === null) return;
      const report = (key: string, allowed: string): void =>
        context.addIssue({ code: 'custom', path: [key], message: allowed });
      const sources = Object.fromEntries(HUB_TOKEN_SOURCES.map((key) => [key, entry[key]]));
      if (HUB_TOKEN_SOURCES.every((key) => entry[key] === undefined))
        report('token_file', `one of ${listed(HUB_TOKEN_SOURCES)}`);
      oneSecretOnly(sources, report);
    },
    { when: () => true },
  );

const most = (count: number) => z.number().int().min(1).max(10_000_000).default(count);

const hubLimitsSchema = z.strictObject({
  messages_per_s: most(2000).meta({
    title: 'Messages a second',
    description:
      'What one client may deliver over time; more waits at the client, nothing is lost.',
  }),
  burst_messages: most(10_000).meta({
    title: 'Messages at once',
    description: 'What it may deliver on top after a pause, such as the backlog of an outage.',
  }),
  unidentified: most(4096).meta({
    title: 'Strangers',
    description: 'Connections that have not shown a token; more are asked to come back.',
  }),
  unidentified_per_address: most(2048).meta({
    title: 'Strangers from one address',
    description: 'The same by address. Above the number of boxes behind one router.',
  }),
  sessions_per_token: most(1024).meta({
    title: 'Clients by one token',
    description:
      'Connected at once; more are asked to come back. A client that reconnects takes its own place.',
  }),
  stream_request_timeout_s: z.number().min(1).max(300).default(20).meta({
    title: 'Wait for an edge, s',
    description: 'How long an edge may take to answer a request to start, stop or change a camera.',
  }),
});

const days = (count: number) => z.number().int().min(1).max(36_500).default(count);

const hubRetentionSchema = z.strictObject({
  max_age_days: days(90).meta({
    title: 'Age of events',
    description: 'Days after which what was received is deleted.',
  }),
  alerts_max_age_days: days(365).meta({
    title: 'Age of alerts',
    description: 'The same for alerts.',
  }),
  max_bytes_mb: z.number().int().min(64).max(16_777_216).default(20_480).meta({
    title: 'Size',
    description:
      'MiB that the database may use; beyond it the oldest events are deleted before their age, alerts last.',
  }),
});

const hubMetricsSchema = z.strictObject({
  open: z.boolean().default(false).meta({
    title: 'Without a token',
    description: 'GET /metrics needs no token. Only where nobody else reaches the port.',
  }),
});

const hubTlsSchema = z
  .strictObject({
    cert_file: fileOfSecret.optional().meta({
      title: 'Certificate',
      description: 'Chain of the hub, PEM, its own certificate first. Read again when it changes.',
    }),
    key_file: fileOfSecret.optional().meta({
      title: 'Private key',
      description: 'Key of the certificate, PEM.',
    }),
    client_ca_file: fileOfSecret.optional().meta({
      title: 'Authority of client certificates',
      description: 'Certificates of the authorities that client certificates come from, PEM.',
    }),
    client_certificates: z.enum(['off', 'accept', 'require']).default('off').meta({
      title: 'Client certificates',
      description:
        '`accept`: a client may show one; `require`: every client has to. Its common name has to be the name of the token.',
    }),
  })
  .superRefine(
    (tls, context) => {
      if (typeof tls !== 'object' || tls === null) return;
      const { cert_file: cert, key_file: key, client_ca_file: ca } = tls;
      const report = (path: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (cert !== undefined && key === undefined) report('cert_file', 'key_file beside it');
      if (key !== undefined && cert === undefined) report('key_file', 'cert_file beside it');
      if (ca !== undefined && cert === undefined) report('client_ca_file', 'cert_file beside it');
      if (tls.client_certificates !== 'off' && ca === undefined)
        report('client_certificates', 'client_ca_file beside it');
    },
    { when: () => true },
  );

const originSchema = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'an origin as browsers name it: https://console.example.org',
  );

export const hubSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').meta({
    title: 'Address to listen on',
    description: '`127.0.0.1` for this machine only, `0.0.0.0` for all its networks.',
  }),
  port: z.number().int().min(0).max(65535).default(8080).meta({
    title: 'Port',
    description: 'TCP port; 0 takes a free one.',
  }),
  data_dir: absolutePath.default('/var/lib/apex-hub').meta({
    title: 'Data folder',
    description: 'Database of everything received. On a local disk; absolute.',
  }),
  tls: hubTlsSchema.prefault({}).meta({
    title: 'TLS',
    description: 'With a certificate the hub answers wss:// and https:// only.',
  }),
  insecure_plaintext: z.boolean().default(false).meta({
    title: 'Without TLS on a network',
    description:
      'Lets the hub listen beyond this machine without TLS; everyone on the way reads along.',
  }),
  allowed_origins: z.array(originSchema).default([]).meta({
    title: 'Pages that may connect',
    description: 'Origins of web pages beside those of the hub itself; other clients need none.',
  }),
  limits: hubLimitsSchema.prefault({}).meta({
    title: 'Limits',
    description: 'What clients may do. The defaults suit hundreds of boxes.',
  }),
  retention: hubRetentionSchema.prefault({}).meta({
    title: 'Retention',
    description: 'How long events are kept. What edges have had acknowledged stays known for good.',
  }),
  metrics: hubMetricsSchema.prefault({}).meta({
    title: 'Metrics',
    description: 'Who may read GET /metrics.',
  }),
  tokens: z
    .array(hubTokenSchema)
    .superRefine(
      (tokens, context) => {
        if (!Array.isArray(tokens)) return;
        const names = tokens.map((entry) => entry?.name);
        for (const [index, name] of names.entries())
          if (name !== undefined && names.indexOf(name) < index)
            context.addIssue({ code: 'custom', path: [index, 'name'], message: 'each name once' });
      },
      { when: () => true },
    )
    .default([])
    .meta({
      title: 'Tokens',
      description:
        'Who may connect, and as what, beside the tokens of `apex-edge tokens create`. Without any nobody can.',
    }),
});
