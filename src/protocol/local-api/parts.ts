import { z } from 'zod';

/** Pieces that several routes of the local API share. */

export const eventId = z.string().min(1).max(256).describe('Names an event');
export const alertId = z.string().min(1).max(256).describe('Names an alert');
export const cameraId = z.string().min(1).max(128).describe('Names a camera');
export const personId = z.string().min(1).max(128).describe('Names a person');

export const time = z.number().describe('Unix milliseconds');

/** In an address: `a,b,c`. */
export const listed = (what: string) =>
  z
    .string()
    .min(1)
    .max(4096)
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().min(1).max(256)).max(64))
    .describe(what);

/** In an address. */
export const flag = z
  .enum(['true', 'false', '1', '0'])
  .transform((text) => text === 'true' || text === '1')
  .describe('`true` or `1`, `false` or `0`');

/** In an address: milliseconds or a time of ISO 8601. */
export const instant = z
  .string()
  .max(40)
  .transform((text) => (/^-?\d{1,16}$/.test(text) ? Number(text) : Date.parse(text)))
  .pipe(z.int({ error: 'an ISO 8601 time or Unix milliseconds' }).min(-8.64e15).max(8.64e15))
  .describe('Unix milliseconds, or ISO 8601');

export const fault = z
  .object({
    code: z.string().describe('Stable; docs/errors.md lists all'),
    message: z.string().describe('What happened'),
    remedy: z.string().describe('What a person can do about it'),
  })
  .meta({ id: 'Fault', description: 'Something that is not as it should be' });

export const ids = z.array(z.string().min(1).max(256)).min(1).max(1000);
