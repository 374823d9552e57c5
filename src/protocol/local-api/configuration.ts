import { z } from 'zod';
import { time } from './parts.ts';

/** Configuration, as the console reads and changes it. The values have the form of the configuration file. */

const coordinates = z
  .string()
  .max(4096)
  .describe('Corners as `x,y,x,y,…`, shares of the width and height of the picture');
const places = z.record(z.string().max(63), z.looseObject({ coordinates }));

const zones = z
  .object({
    zones: places.describe('Parts of the picture that rules can name'),
    lines: places.describe('Lines whose crossing rules can ask for'),
    masks: places.describe('Where nothing is an object'),
    privacy_masks: places.describe('Black in every picture that is kept or sent'),
  })
  .meta({ id: 'Zones', description: 'Places in the picture of a camera' });
export type Zones = z.infer<typeof zones>;

const etag = z.string().max(128).describe('Of the file that was read: a change in between is kept');

export const zonesAnswer = zones.extend({ etag });
export const zonesChange = zones.extend({
  etag: etag.optional(),
  dry_run: z.boolean().default(false).describe('Say what is wrong, change nothing'),
});

const rules = z
  .record(z.string().max(63), z.looseObject({}))
  .describe('As in the section `rules` of the configuration file');
export type Rules = z.infer<typeof rules>;

export const rulesAnswer = z.object({ rules, etag });
export const rulesChange = z.strictObject({
  rules,
  etag: etag.optional(),
  dry_run: z.boolean().default(false),
});

const problem = z.object({
  path: z.string().describe('Key, such as `cameras.door.zones.gate`'),
  message: z.string(),
  line: z.number().nullable(),
});

export const configChanged = z
  .object({
    etag,
    changed: z.array(z.string()).describe('Keys whose values are others'),
    needs_restart: z.array(z.string()).describe('Of these, keys that count from the next start on'),
    problems: z.array(problem).describe('What is odd about it and does not keep it from working'),
  })
  .meta({ id: 'ConfigChanged' });
export type ConfigChanged = z.infer<typeof configChanged>;

export const configAnswer = z.object({
  config: z.record(z.string(), z.unknown()).describe('With all defaults, without secrets'),
  text: z.string().describe('The file, without secrets'),
  path: z.string(),
  etag,
  problems: z.array(z.string()),
});

export type ConfigAnswer = z.infer<typeof configAnswer>;

export const configVersion = z.object({
  id: z.string(),
  saved_at: time,
  saved_by: z.string(),
  bytes: z.number(),
  changed: z.array(z.string()).describe('What the next one changed'),
});
export type ConfigVersion = z.infer<typeof configVersion>;
