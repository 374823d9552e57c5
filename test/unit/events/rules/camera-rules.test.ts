import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeenObject } from '../../../../src/events/rules/alert.ts';
import { CameraRules } from '../../../../src/events/rules/camera-rules.ts';
import { Cooldowns } from '../../../../src/events/rules/cooldown.ts';
import type { Rule } from '../../../../src/events/rules/rule.ts';
import { SiteClock } from '../../../../src/events/rules/schedule.ts';
import type { AlertTriggered } from '../../../../src/protocol/payloads.ts';
import type { Track } from '../../../../src/tracking/types.ts';

const YARD = {
  name: 'yard',
  polygon: [
    { x: 0, y: 0 },
    { x: 0.5, y: 0 },
    { x: 0.5, y: 1.1 },
    { x: 0, y: 1.1 },
  ],
  inertiaMs: 0,
  ground: null,
};
const DOOR = { name: 'door', from: { x: 0.5, y: 0 }, to: { x: 0.5, y: 1 } };
const RULE: Rule = {
  name: 'a-rule',
  alertType: 'object_detected',
  severity: 'medium',
  labels: new Set(['person']),
  minScore: 0.5,
  minSpeedKmh: null,
  identity: null,
  zones: null,
  lines: null,
  direction: null,
  durationMs: 0,
  count: 1,
  schedule: null,
  cooldownMs: 0,
};

/** Objects on a camera with a yard on the left and a door in the middle; 2026-01-05, a Monday, 12:00 in UTC. */
class Scene {
  static readonly startMs = Date.parse('2026-01-05T12:00:00Z');
  readonly rules: CameraRules;
  readonly #tracks = new Map<number, Track>();

  constructor(...rules: Partial<Rule>[]) {
    this.rules = new CameraRules({
      cameraId: 'gate',
      zones: [YARD],
      lines: [DOOR],
      rules: rules.map((rule) => ({ ...RULE, ...rule })),
      siteClock: new SiteClock('UTC'),
    });
  }

  /** A frame with objects by number, at the x of their feet. Returns what alerts say. */
  at(
    ms: number,
    feet: Record<number, number>,
    facts: Partial<Track> = {},
    who: Partial<SeenObject> = {},
  ): AlertTriggered[] {
    const objects = Object.entries(feet).map(([key, x]) => {
      const id = Number(key);
      const box = { x: x - 0.05, y: 0.2, width: 0.1, height: 0.5 };
      const { firstSeenMs = ms, firstBox = box } = this.#tracks.get(id) ?? {};
      const track: Track = {
        ...{ id, label: 'person', classId: 0, box, score: 0.9, topScore: 0.9, medianScore: 0.8 },
        ...{ firstSeenMs, firstBox, lastSeenMs: ms, hits: 5, ...facts },
      };
      this.#tracks.set(id, track);
      return { track, eventId: `event-${id}`, identity: null, isUnknown: false, ...who };
    });
    return this.rules.frame(objects, { monoMs: ms, wallMs: Scene.startMs + ms });
  }

  forget(id: number): void {
    this.#tracks.delete(id);
    this.rules.forget(id);
  }
}

const words = (alerts: readonly AlertTriggered[]) => alerts.map(({ data }) => data.why);

describe('a rule', () => {
  test('fires once for each stay, and says why', () => {
    const scene = new Scene({ severity: 'high' });
    const [alert, ...more] = scene.at(0, { 1: 0.2 });
    expect(more).toEqual([]);
    expect(alert).toEqual({
      type: 'object_detected',
      camera_id: 'gate',
      severity: 'high',
      timestamp: Scene.startMs,
      data: {
        rule: 'a-rule',
        why: 'person in view',
        event_id: 'event-1',
        track_id: 1,
        label: 'person',
        object_type: 'person',
        score: 0.8,
        bounding_box: expect.any(Object),
        start_time: Scene.startMs,
        present_s: 0,
      },
    });
    expect(scene.at(200, { 1: 0.3 })).toEqual([]);
    expect(words(scene.at(400, { 1: 0.3, 2: 0.4 }))).toEqual(['person in view']);
    scene.forget(1);
    expect(words(scene.at(600, { 1: 0.3, 2: 0.4 }))).toEqual(['person in view']);
  });

  test('looks at labels, types and the median score', () => {
    const scene = new Scene({ labels: new Set(['vehicle', 'dog']), minScore: 0.6 });
    expect(scene.at(0, { 1: 0.2 })).toEqual([]);
    expect(scene.at(1, { 2: 0.2 }, { label: 'truck', medianScore: 0.59 })).toEqual([]);
    expect(words(scene.at(2, { 2: 0.2 }, { label: 'truck' }))).toEqual(['truck in view']);
    expect(words(scene.at(3, { 3: 0.2 }, { label: 'dog' }))).toEqual(['dog in view']);
    expect(words(new Scene({ labels: null }).at(0, { 1: 0.1 }, { label: 'kite' }))).toEqual([
      'kite in view',
    ]);
  });

  test('of a zone counts from the entry, and anew after the object has left', () => {
    const scene = new Scene({ zones: ['yard'], durationMs: 15_000 });
    scene.at(0, { 1: 0.8 });
    expect(scene.at(10_000, { 1: 0.2 })).toEqual([]);
    expect(scene.at(24_900, { 1: 0.2 })).toEqual([]);
    expect(scene.at(25_000, { 1: 0.2 })).toMatchObject([
      {
        data: {
          why: 'person in yard for 15 s',
          zone: 'yard',
          present_s: 15,
          start_time: Scene.startMs,
        },
      },
    ]);
    expect(scene.at(60_000, { 1: 0.2 })).toEqual([]);
    scene.at(61_000, { 1: 0.8 });
    scene.at(62_000, { 1: 0.2 });
    expect(scene.at(76_900, { 1: 0.2 })).toEqual([]);
    expect(scene.at(77_000, { 1: 0.2 })).toHaveLength(1);
  });

  test('does not count time for one that was not seen any more', () => {
    const scene = new Scene({ durationMs: 15_000 });
    scene.at(0, { 1: 0.2 });
    scene.at(14_000, { 1: 0.2 });
    expect(scene.at(16_000, {})).toEqual([]);
    scene.forget(1);
    expect(scene.at(17_000, {})).toEqual([]);
  });

  test('of a line fires for each crossing to its side', () => {
    const scene = new Scene({ lines: ['door'], direction: 'right', alertType: 'perimeter_breach' });
    expect(scene.at(0, { 1: 0.2 })).toEqual([]);
    expect(scene.at(200, { 1: 0.8 }), 'to the left').toEqual([]);
    expect(scene.at(400, { 1: 0.2 })).toMatchObject([
      {
        type: 'perimeter_breach',
        data: { why: 'person crossed door to the right', line: 'door', direction: 'right' },
      },
    ]);
    expect(scene.rules.counts).toEqual({
      zones: { yard: 1 },
      lines: { door: { left: 1, right: 1 } },
    });
  });

  test('looks at where an object was first seen, before it was confirmed', () => {
    const scene = new Scene({ lines: ['door'] });
    const firstBox = { x: 0.1, y: 0.2, width: 0.1, height: 0.5 };
    expect(words(scene.at(600, { 1: 0.8 }, { firstBox, firstSeenMs: 0 }))).toEqual([
      'person crossed door to the left',
    ]);
  });

  test('with a count fires when there are so many, and again only after there were fewer', () => {
    const scene = new Scene({ zones: ['yard'], count: 2 });
    expect(scene.at(0, { 1: 0.2, 2: 0.8 })).toEqual([]);
    expect(words(scene.at(200, { 1: 0.2, 2: 0.3 }))).toEqual([
      '2 at once in yard, 2 or more are an alert',
    ]);
    expect(scene.at(400, { 1: 0.2, 2: 0.3, 3: 0.4 })).toEqual([]);
    expect(scene.at(500, { 1: 0.2 }), 'two are out of sight for a moment').toEqual([]);
    expect(scene.at(600, { 1: 0.2, 2: 0.8, 3: 0.8 })).toEqual([]);
    expect(scene.at(800, { 1: 0.2, 2: 0.3, 3: 0.8 })).toHaveLength(1);
  });

  test('of certain hours fires for one that is there when they begin', () => {
    const schedule = [{ days: new Set([1]), fromMinute: 12 * 60 + 1, toMinute: 13 * 60 }];
    const scene = new Scene({ schedule });
    expect(scene.at(0, { 1: 0.2 })).toEqual([]);
    expect(scene.at(59_900, { 1: 0.2 })).toEqual([]);
    expect(scene.at(60_000, { 1: 0.2 })).toHaveLength(1);
    expect(scene.at(3_600_000, { 2: 0.2 })).toEqual([]);
  });

  test('that has just fired cools down, for each zone by itself, and then says what it held back', () => {
    const scene = new Scene(
      { cooldownMs: 60_000 },
      { name: 'b', zones: ['yard'], cooldownMs: 10_000 },
    );
    expect(scene.at(0, { 1: 0.2 })).toHaveLength(2);
    expect(scene.at(5000, { 1: 0.2, 2: 0.2, 3: 0.8 })).toEqual([]);
    expect(scene.at(10_000, { 4: 0.2 })).toMatchObject([{ data: { rule: 'b', suppressed: 1 } }]);
    expect(scene.at(60_000, { 5: 0.8 })).toMatchObject([
      { data: { rule: 'a-rule', suppressed: 3 } },
    ]);
    expect(scene.at(200_000, { 6: 0.8 })[0]?.data).not.toHaveProperty('suppressed');
  });
});

describe('a rule with an identity', () => {
  const ada = {
    identity: { person_id: 'ada-1', name: 'Ada', confidence: 0.6, threat_level: 'safe' as const },
  };
  const eve = {
    identity: {
      ...ada.identity,
      person_id: 'eve-1',
      name: 'Eve',
      threat_level: 'watch_list' as const,
    },
  };
  const stranger = { isUnknown: true };

  test.each([
    ['known', [1, 1, 0, 0]],
    ['unknown', [0, 0, 1, 0]],
    ['watch_list', [0, 1, 0, 0]],
    ['person:ada-1', [1, 0, 0, 0]],
  ])('%s fires for nobody else', (word, expected) => {
    const fired = [ada, eve, stranger, {}].map(
      (who) => new Scene({ identity: new Set([word]) }).at(0, { 1: 0.2 }, {}, who).length,
    );
    expect(fired).toEqual(expected);
  });

  test('waits until it is known who it is, and says so', () => {
    const scene = new Scene({ identity: new Set(['watch_list']) });
    expect(scene.at(0, { 1: 0.2 })).toEqual([]);
    expect(scene.at(500, { 1: 0.2 }, {}, eve)).toMatchObject([
      { data: { why: 'Eve (watch list) in view', identity: { person_id: 'eve-1' } } },
    ]);
    expect(scene.at(1000, { 1: 0.2 }, {}, eve)).toEqual([]);
  });

  test('cools down for each person by themselves, and for all strangers together', () => {
    const scene = new Scene({ identity: new Set(['known', 'unknown']), cooldownMs: 60_000 });
    expect(scene.at(0, { 1: 0.2 }, {}, ada)).toHaveLength(1);
    expect(scene.at(1000, { 2: 0.2 }, {}, eve)).toHaveLength(1);
    expect(scene.at(2000, { 3: 0.2 }, {}, ada)).toEqual([]);
    const [first] = scene.at(3000, { 4: 0.2 }, {}, stranger);
    expect(first?.data).toMatchObject({ why: 'unknown person in view' });
    expect(scene.at(4000, { 5: 0.2 }, {}, stranger)).toEqual([]);
  });
});

test('a cooldown lets through what counting by hand does, and tells of everything else', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 0, max: 60_000 }), (steps, cooldownMs) => {
      const cooldowns = new Cooldowns();
      const times = steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, step) => sum + step, 0));
      const claims = times.map((ms) => cooldowns.claim('key', cooldownMs, ms));
      let lastMs = Number.NEGATIVE_INFINITY;
      const byHand = times.map((ms) => {
        const isTold = ms - lastMs >= cooldownMs;
        if (isTold) lastMs = ms;
        return isTold;
      });
      expect(claims.map((claim) => claim !== null)).toEqual(byHand);
      const told = claims.findLastIndex((claim) => claim !== null);
      const held = claims.slice(0, told).filter((claim) => claim === null).length;
      expect(claims.reduce<number>((sum, claim) => sum + (claim ?? 0), 0)).toBe(held);
    }),
  );
});
