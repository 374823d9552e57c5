import { z } from 'zod';
import { fileOfSecret } from './schema-parts.ts';

const tlsSchema = z
  .strictObject({
    cert_file: fileOfSecret.optional().meta({
      title: 'Certificate',
      description: 'Chain of this box, PEM, its own certificate first. Read again when it changes.',
    }),
    key_file: fileOfSecret.optional().meta({
      title: 'Private key',
      description: 'Key of the certificate, PEM.',
    }),
  })
  .superRefine(
    (tls, context) => {
      if (typeof tls !== 'object' || tls === null) return;
      const { cert_file: cert, key_file: key } = tls;
      if ((cert === undefined) === (key === undefined)) return;
      const [given, missing] =
        cert === undefined ? ['key_file', 'cert_file'] : ['cert_file', 'key_file'];
      context.addIssue({ code: 'custom', path: [given], message: `${missing} beside it` });
    },
    { when: () => true },
  );

export const apiSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({
    title: 'Enabled',
    description: 'Whether the box answers over HTTP at all, with the console.',
  }),
  host: z.string().min(1).default('127.0.0.1').meta({
    title: 'Address to listen on',
    description: '`127.0.0.1` for this machine only, `0.0.0.0` for all its networks.',
  }),
  port: z.number().int().min(0).max(65535).default(8090).meta({
    title: 'Port',
    description: 'TCP port; 0 takes a free one.',
  }),
  tls: tlsSchema.prefault({}).meta({
    title: 'TLS',
    description: 'With a certificate the box answers https:// and wss:// only.',
  }),
  insecure_plaintext: z.boolean().default(false).meta({
    title: 'Without TLS on a network',
    description:
      'Lets the box listen beyond this machine without TLS; everyone on the way reads along.',
  }),
});
