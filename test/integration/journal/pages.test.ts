import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertStatement } from '../../../src/journal/alert-pages.ts';
import { eventStatement } from '../../../src/journal/event-pages.ts';
import type { ObjectEvent } from '../../../src/protocol/payloads.ts';
import { SEVERITIES } from '../../../src/protocol/payloads.ts';
import { alertOf, eventOf, idOf, JournalScene, NOON } from './journal-scene.ts';

const CAMERAS = ['gate', 'yard', 'dock'];
const LABELS = ['person', 'car'];
const ZONES = ['door', 'lawn'];
const COUNT = 400;

/** What the journal holds, as plainly as can be. */
interface Expected {
  readonly event: ObjectEvent;
  readonly severity: (typeof SEVERITIES)[number] | null;
  readonly isReviewed: boolean;
  readonly isFalse: boolean;
}

const scene = new JournalScene();
const model: Expected[] = [];

beforeAll(async () => {
  // Several at the same moment: the number of the row then tells the order.
  const random = fc.sample(fc.infiniteStream(fc.nat(1e6)), { numRuns: 1, seed: 5 })[0];
  const pick = <T>(values: readonly T[]): T =>
    values[Number(random?.next().value) % values.length] as T;
  for (let number = 0; number < COUNT; number++) {
    const start_time = NOON + pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) * 1000;
    const entered_zones = pick([[], ['door'], ['lawn'], ['door', 'lawn']]);
    const person = pick([null, null, 'p-1', 'p-2']);
    const identity = person && {
      ...{ person_id: person, name: person, confidence: 0.5, threat_level: 'safe' as const },
    };
    const event = eventOf(number, {
      ...{ camera_id: pick(CAMERAS), label: pick(LABELS), start_time, entered_zones },
      ...(identity && { identity }),
    });
    model.push({
      ...{ event, severity: pick([null, null, ...SEVERITIES]) },
      ...{ isReviewed: pick([true, false]), isFalse: pick([true, false, false]) },
    });
  }
  await scene.tell(
    model.map(({ event }) => event),
    model.flatMap(({ event, severity }, number) =>
      severity === null ? [] : [alertOf(number, { severity, data: { event_id: event.event_id } })],
    ),
  );
  const { review } = scene.journal;
  const of = (is: (expected: Expected) => boolean) =>
    model.filter(is).map(({ event }) => event.event_id);
  await review.markReviewed(
    of(({ isReviewed }) => isReviewed),
    'kim',
  );
  for (const id of of(({ isFalse }) => isFalse)) await review.falsePositive(id, true, 'kim');
});
afterAll(() => scene.end());

const some = <T>(values: readonly T[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }), { nil: undefined });
const maybe = fc.option(fc.boolean(), { nil: undefined });
const query = fc.record(
  {
    ...{ cameras: some([...CAMERAS, 'nowhere']), labels: some(LABELS), zones: some(ZONES) },
    ...{ person_id: fc.option(fc.constantFrom('p-1', 'p-3'), { nil: undefined }) },
    ...{ is_reviewed: maybe, is_false_positive: maybe, has_alert: maybe },
    ...{ severities: some(SEVERITIES), order: fc.constantFrom('newest', 'oldest') },
    from_ms: fc.option(fc.integer({ min: NOON, max: NOON + 4000 }), { nil: undefined }),
    to_ms: fc.option(fc.integer({ min: NOON + 3000, max: NOON + 9999 }), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 90 }),
  },
  { requiredKeys: ['order', 'limit'] },
);

type Query = typeof query extends fc.Arbitrary<infer Value> ? Value : never;

const isIn = <T>(list: readonly T[] | undefined, value: T) =>
  list === undefined || list.includes(value);
const is = (asked: boolean | undefined, value: boolean) => asked === undefined || asked === value;

function isAskedFor(asked: Query, { event, severity, isReviewed, isFalse }: Expected): boolean {
  return [
    isIn(asked.cameras, event.camera_id),
    isIn(asked.labels, event.label),
    asked.zones === undefined ||
      asked.zones.some((zone) => event.entered_zones?.includes(zone) === true),
    asked.person_id === undefined || event.identity?.person_id === asked.person_id,
    is(asked.is_reviewed, isReviewed),
    is(asked.is_false_positive, isFalse),
    is(asked.has_alert, severity !== null),
    asked.severities === undefined || (severity !== null && asked.severities.includes(severity)),
    event.start_time >= (asked.from_ms ?? 0),
    event.start_time < (asked.to_ms ?? Number.POSITIVE_INFINITY),
  ].every((each) => each);
}

test('pages hold what was asked for: all of it, once and in order', async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      const given = Object.fromEntries(
        Object.entries(asked).filter(([, value]) => value !== undefined),
      );
      const wanted = model
        .filter((expected) => isAskedFor(asked, expected))
        .sort((a, b) => a.event.start_time - b.event.start_time)
        .map(({ event }) => event.event_id);
      if (asked.order === 'newest') wanted.reverse();
      found += wanted.length;
      expect(await scene.allEvents(given)).toEqual(wanted);
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(1000);
});

test('a page of large rows ends early and the next one goes on', async () => {
  const large = new JournalScene();
  try {
    const filler = (number: number) => ({ sub_label: `${number}`.repeat(400_000) });
    await large.tell(
      [1, 2, 3, 4, 5].map((number) => eventOf(number, filler(number) as Partial<ObjectEvent>)),
    );
    const page = await large.journal.history.page({});
    expect(page).toMatchObject({ has_more: true });
    expect(page.rows).toHaveLength(2);
    expect(await large.allEvents({ order: 'oldest' })).toEqual([1, 2, 3, 4, 5].map((n) => idOf(n)));
  } finally {
    await large.end();
  }
});

test('no page looks through a table or sorts it', () => {
  const db = new Database(join(scene.dir, 'journal.db'), { readonly: true });
  const events = ['at', 'camera', 'label', 'type', 'person', 'alerted', 'reviewed'] as const;
  const statements = (['newest', 'oldest'] as const).flatMap((order) => [
    ...[...events, 'unreviewed' as const, 'falsePositive' as const, 'zone' as const].map((index) =>
      eventStatement(index, order),
    ),
    ...(['at', 'camera', 'type', 'severity', 'event', 'open', 'acknowledged'] as const).map(
      (index) => alertStatement(index, order),
    ),
  ]);
  const parameters = { fromMs: 0, toMs: 1, atMs: 1, id: 1, rows: 1 };
  for (const statement of statements) {
    const bound = statement.includes(':value') ? { ...parameters, value: 'x' } : parameters;
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${statement}`).all(bound) as { detail: string }[];
    const told = plan.map(({ detail }) => detail).join('; ');
    expect(told, statement).not.toMatch(/TEMP B-TREE/);
    expect(told, statement).toMatch(/SEARCH (event|alert|event_zone) USING/);
  }
  db.close();
});
