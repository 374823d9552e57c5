import type { z } from 'zod';

/** What may be done with the local API, each with all before it. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What an answer is, beside JSON of a schema. */
type MediaType =
  | 'image/jpeg'
  | 'video/mp4'
  | 'multipart/x-mixed-replace'
  | 'text/plain'
  | 'application/gzip';

/** One thing that the local API does. */
export interface RouteSpec {
  /** Who may; `open` for anybody, also without a token. */
  readonly role: Role | 'open';
  /** One sentence. */
  readonly summary: string;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** JSON of a schema, or a picture. */
  readonly body?: z.ZodType | 'image/jpeg';
  /** Answer 200; nothing at all is 204. */
  readonly answer?: z.ZodType | MediaType;
  /** Changes something: written to the audit log. */
  readonly isChange?: boolean;
}

export function isAtLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
