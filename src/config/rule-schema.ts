import { z } from 'zod';
import { ruleWord } from './zone-schema.ts';

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const hour = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time like "07:30", in quotes, 00:00 to 23:59');
const endHour = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'a time like "07:30", in quotes, 00:00 to 24:00');

const scheduleSchema = z.strictObject({
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .default([...WEEKDAYS])
    .meta({ title: 'Days', description: 'Days on which these hours begin; every day by default.' }),
  from: hour.meta({ title: 'From', description: 'First minute, by the clock on site.' }),
  to: endHour.meta({
    title: 'To',
    description: 'First minute that is no more part of it; before `from`, it is on the next day.',
  }),
});

const names = z.array(ruleWord).min(1);

const ruleFields = z.strictObject({
  enabled: z.boolean().default(true).meta({
    title: 'Enabled',
    description: 'Set to `false` to keep the rule in the file without its alerts.',
  }),
  alert: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'lower-case letters, digits and _, starting with a letter')
    .optional()
    .meta({
      title: 'Type of the alert',
      description:
        'When left out: `watch_list_match`, `unknown_person` or `person_recognised` with `identity`, ' +
        '`perimeter_breach` with `lines`, `loitering_detected` with `duration_s`, else `object_detected`.',
    }),
  severity: z.enum(['low', 'medium', 'high', 'critical']).default('medium').meta({
    title: 'Severity',
    description: 'How much it matters.',
  }),
  cameras: names.optional().meta({
    title: 'Cameras',
    description: 'All cameras when left out; of these, those that have the zones or lines.',
  }),
  labels: z.array(z.string().min(1)).min(1).nullable().default(['person']).meta({
    title: 'Labels',
    description: 'Labels of the model or types such as `vehicle`; `null` for all.',
  }),
  min_score: z.number().min(0).max(1).default(0.5).meta({
    title: 'Lowest score',
    description: 'Least median score over all sightings of the object, 0 to 1.',
  }),
  identity: z
    .array(
      z
        .string()
        .regex(
          /^(?:known|unknown|safe|watch_list|threat|person:.+)$/,
          '`known`, `unknown`, `safe`, `watch_list`, `threat`, or `person:` and an id',
        ),
    )
    .min(1)
    .optional()
    .meta({
      title: 'Identity',
      description:
        'Only who is any of these; anybody when left out. `known`, `unknown` (compared, and nobody’s), `safe`, ' +
        '`watch_list`, `threat`, or `person:` and an id. Needs `faces` of the camera.',
    }),
  zones: names.optional().meta({
    title: 'Zones',
    description: 'In any of these; anywhere in the picture when left out.',
  }),
  lines: names.optional().meta({
    title: 'Lines',
    description: 'Across any of these. Then `zones`, `duration_s` and `count` have no place.',
  }),
  direction: z.enum(['left', 'right']).optional().meta({
    title: 'Direction',
    description: 'Only to this side of the line; both when left out.',
  }),
  duration_s: z.number().min(0).max(86_400).default(0).meta({
    title: 'Duration, seconds',
    description: 'There for at least this long.',
  }),
  min_speed_kmh: z.number().min(0.1).max(500).optional().meta({
    title: 'Least speed, km/h',
    description: 'At least so fast, in `zones` that have a `size_m`.',
  }),
  count: z.number().int().min(1).max(100).default(1).meta({
    title: 'Count',
    description: 'At least so many at once; such a rule fires once for all of them.',
  }),
  schedule: z.array(scheduleSchema).min(1).optional().meta({
    title: 'Schedule',
    description: 'Hours in which the rule counts; always when left out.',
  }),
  cooldown_s: z
    .number()
    .min(0)
    .max(86_400)
    .default(60)
    .meta({
      title: 'Cooldown, seconds',
      description:
        'After an alert none of this rule for the same camera, zone or line, and person for so long. What comes ' +
        'meanwhile is counted in the next one.',
    }),
});

type RuleFields = Partial<z.infer<typeof ruleFields>>;

export const ruleSchema = ruleFields.superRefine(
  (rule, context) => {
    if (typeof rule !== 'object' || rule === null) return;
    const report = (key: keyof RuleFields, allowed: string): void =>
      context.addIssue({ code: 'custom', path: [key], message: allowed });
    checkKind(rule, report);
  },
  { when: () => true },
);

export type RuleConfig = z.infer<typeof ruleSchema>;

function checkKind(
  { lines, zones, direction, duration_s: duration = 0, count = 1, min_speed_kmh }: RuleFields,
  report: (key: keyof RuleFields, allowed: string) => void,
): void {
  if (min_speed_kmh !== undefined && zones === undefined)
    report('min_speed_kmh', '`zones` beside it, which have a `size_m`');
  if (lines === undefined) {
    if (direction !== undefined) report('direction', '`lines` beside it');
    return;
  }
  if (zones !== undefined) report('zones', 'either `lines` or `zones`');
  if (duration > 0) report('duration_s', 'no duration with `lines`: crossing takes a moment');
  if (count > 1) report('count', 'no count with `lines`: each crossing counts for itself');
}
