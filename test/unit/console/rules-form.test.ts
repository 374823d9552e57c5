import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ruleSchema } from '../../../src/config/rule-schema.ts';
import { parsedOf, RULE_FIELDS, textOf, withValue } from '../../../src/console/pages/rules-form.ts';

const field = (key: string) => RULE_FIELDS.find((each) => each.key === key) ?? RULE_FIELDS[0]!;

test('the form has every key that a rule may have', () => {
  const message = ruleSchema.safeParse({ unknown: 1, labels: ['person'] });
  expect(message.success).toBe(false);
  const keys = Object.keys(ruleSchema.parse({}));
  for (const key of keys) expect(RULE_FIELDS.map((each) => each.key)).toContain(key);
  for (const { key, kind } of RULE_FIELDS) {
    const example = EXAMPLES[key];
    const parsed = ruleSchema.safeParse({
      ...example,
      [key]: parsedOf(field(key), TYPED[key] ?? ''),
    });
    expect(parsed.error?.issues, `${key} ${kind}`).toBeUndefined();
  }
});

const TYPED: Readonly<Record<string, string>> = {
  enabled: 'false',
  severity: 'high',
  labels: 'person, car',
  cameras: 'hall',
  zones: 'mat',
  lines: 'gate',
  direction: 'left',
  duration_s: '15',
  count: '2',
  min_score: '0.7',
  min_speed_kmh: '30',
  identity: 'unknown, person:anna-abcdefghjk',
  schedule: 'mon tue 22:00-06:00\n07:30-08:00',
  cooldown_s: '5',
  alert: 'night_visitor',
};
/** What has to stand beside a key. */
const EXAMPLES: Readonly<Record<string, object>> = {
  direction: { lines: ['gate'] },
  min_speed_kmh: { zones: ['road'] },
};

test('what is typed comes back as it was meant', () => {
  for (const [key, typed] of Object.entries(TYPED))
    expect(textOf(field(key), parsedOf(field(key), typed))).toBe(typed);
  expect(parsedOf(field('schedule'), 'mon 22:00-06:00')).toEqual([
    { days: ['mon'], from: '22:00', to: '06:00' },
  ]);
  expect(parsedOf(field('duration_s'), ' ')).toBeUndefined();
  expect(parsedOf(field('duration_s'), 'long')).toBe('long');
});

test('one key is changed, and the others keep their places', () => {
  const rule = { severity: 'low', labels: ['person'], count: 2 };
  expect(Object.keys(withValue(rule, field('labels'), ['car']))).toEqual([
    'severity',
    'labels',
    'count',
  ]);
  expect(withValue(rule, field('count'), undefined)).toEqual({
    severity: 'low',
    labels: ['person'],
  });
  expect(withValue(rule, field('zones'), ['mat'])).toEqual({ ...rule, zones: ['mat'] });
});

test('nothing that somebody types breaks the form', () => {
  fc.assert(
    fc.property(fc.constantFrom(...RULE_FIELDS), fc.string(), (each, typed) => {
      const value = parsedOf(each, typed);
      expect(typeof textOf(each, value)).toBe('string');
    }),
  );
});
