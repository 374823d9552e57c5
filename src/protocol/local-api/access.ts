import { z } from 'zod';
import { time } from './parts.ts';
import { ROLES } from './route.ts';

/** Who may use the local API. */

const role = z.enum(ROLES).describe('Each may do what those before it may');
const cameras = z
  .array(z.string().min(1).max(128))
  .min(1)
  .max(256)
  .nullable()
  .describe('Only these cameras; null for all');
const name = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,62}$/u, '1 to 63 letters, digits, spaces and ._@-');

export const login = z.strictObject({
  token: z.string().min(1).max(4096).describe('As `apex-edge access create` showed it'),
});

export const profile = z
  .object({
    name: z.string().describe('Whose token it is'),
    role,
    cameras: cameras.readonly(),
    expires_at: time.nullable().describe('When the token expires'),
    edge_id: z.string().describe('Name of this box'),
    version: z.string(),
  })
  .meta({ id: 'Profile', description: 'Who asks' });
export type Profile = z.infer<typeof profile>;

export const liveTicket = z.object({
  ticket: z.string().describe('For `auth.token` of one `client_identify` at `/ws`'),
  expires_at: time,
});

export const accessToken = z
  .object({
    name: z.string(),
    role,
    cameras: cameras.readonly(),
    created_at: time,
    expires_at: time.nullable(),
    last_used_at: time.nullable(),
    revoked_at: time.nullable(),
  })
  .meta({ id: 'AccessToken', description: 'A token, without its secret' });
export type AccessToken = z.infer<typeof accessToken>;

export const newToken = z.strictObject({
  name,
  role,
  cameras: cameras.default(null),
  expires_days: z.number().int().min(1).max(3650).nullable().default(null),
});

export const issuedToken = accessToken.extend({
  token: z.string().describe('Shown this once'),
});

export const auditEntry = z
  .object({
    at: time,
    by: z.string().describe('Name of the token'),
    role: z.string(),
    from: z.string().describe('Address'),
    action: z.string().describe('Method and route'),
    target: z.record(z.string(), z.string()).describe('What the address named'),
    change: z.unknown().describe('What was asked for, without secrets'),
    status: z.number().describe('How it was answered'),
  })
  .meta({ id: 'AuditEntry', description: 'A change, or a try of one' });
export type AuditEntry = z.infer<typeof auditEntry>;
