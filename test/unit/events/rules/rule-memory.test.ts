import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CameraEvents } from '../../../../src/events/camera-events.ts';
import { CameraRules } from '../../../../src/events/rules/camera-rules.ts';
import type { Rule } from '../../../../src/events/rules/rule.ts';
import { type RuleMemory, shiftedMemory } from '../../../../src/events/rules/rule-memory.ts';
import { SiteClock } from '../../../../src/events/rules/schedule.ts';
import type { AlertTriggered } from '../../../../src/protocol/payloads.ts';

const RULE: Rule = {
  name: 'a-rule',
  alertType: 'object_detected',
  severity: 'medium',
  labels: null,
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
const EVERYWHERE = [
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
];
const CAR = { label: 'car', x: 0.2 };
const PERSON = { label: 'person', x: 0.6 };

type Thing = typeof CAR;

/** A camera in several runs of the daemon, frame by frame, five a second. */
class Camera {
  readonly rule: Rule;
  rules: CameraRules;
  events: CameraEvents;
  nowMs = 0;

  constructor(rule: Partial<Rule> = {}) {
    this.rule = { ...RULE, ...rule };
    [this.rules, this.events] = this.#start();
  }

  #start(memory?: RuleMemory): [CameraRules, CameraEvents] {
    const rules = new CameraRules({
      cameraId: 'gate',
      zones: [{ name: 'yard', polygon: EVERYWHERE, inertiaMs: 0, ground: null }],
      lines: [],
      rules: [this.rule],
      siteClock: new SiteClock('UTC'),
      ...(memory && { memory }),
    });
    const options = { cameraId: 'gate', minScore: 0.4, frameIntervalMs: 200, random: () => 0 };
    return [rules, new CameraEvents({ ...options, snapshots: false, rules })];
  }

  watch(seconds: number, ...things: Thing[]): AlertTriggered[] {
    const alerts: AlertTriggered[] = [];
    for (const endMs = this.nowMs + seconds * 1000; this.nowMs < endMs; this.nowMs += 200) {
      const detections = things.map(({ label, x }) => ({
        ...{ label, classId: label === 'car' ? 2 : 0, score: 0.9 },
        box: { x, y: 0.3, width: 0.1, height: 0.4 },
      }));
      const time = { monoMs: this.nowMs, wallMs: this.nowMs + 1e12 };
      const frame = { cameraId: 'gate', frameId: this.nowMs, inferenceMs: 1, model: 'm' };
      alerts.push(...this.events.frame({ ...frame, ...time, detections }).alerts);
    }
    return alerts;
  }

  /** The next run of the daemon begins. A clean stop ends what is in view first, a crash does not. */
  restart(seconds: number, how: 'crash' | 'stop' = 'crash', clockShift = 0): void {
    if (how === 'stop') this.events.shutdown();
    const memory = JSON.parse(JSON.stringify(this.rules.memory));
    this.nowMs += seconds * 1000 + clockShift;
    [this.rules, this.events] = this.#start(shiftedMemory(memory, clockShift));
  }
}

describe.each(['crash', 'stop'] as const)('after a %s', (how) => {
  test('what stands there and was told is not told again', () => {
    const camera = new Camera();
    expect(camera.watch(70, CAR, PERSON)).toHaveLength(2);
    camera.restart(600, how);
    expect(camera.watch(60, CAR, PERSON)).toEqual([]);
  });

  test('what comes anew, or stands elsewhere, or is of another kind is told', () => {
    const camera = new Camera();
    expect(camera.watch(70, CAR)).toHaveLength(1);
    camera.restart(10, how);
    expect(camera.watch(30, { ...CAR, x: 0.35 })).toHaveLength(1);
    camera.restart(10, how);
    expect(camera.watch(30, { ...PERSON, x: 0.35 })).toHaveLength(1);
  });

  test('a label that the model is not sure of is no other object', () => {
    const camera = new Camera();
    expect(camera.watch(70, CAR)).toHaveLength(1);
    camera.restart(10, how);
    expect(camera.watch(30, { ...CAR, label: 'truck' })).toEqual([]);
  });

  test('two of them claim one each', () => {
    const camera = new Camera();
    expect(camera.watch(70, CAR)).toHaveLength(1);
    camera.restart(10, how);
    expect(camera.watch(30, CAR, { ...CAR, x: 0.22 })).toHaveLength(1);
  });

  test('durations count on, in view and in zones', () => {
    for (const zones of [null, ['yard']]) {
      const camera = new Camera({ durationMs: 60_000, zones });
      expect(camera.watch(40, PERSON)).toEqual([]);
      camera.restart(5, how);
      const [alert, ...more] = camera.watch(30, PERSON);
      expect(more).toEqual([]);
      expect(alert?.data.present_s).toBeGreaterThan(59);
      expect(alert?.data.present_s).toBeLessThan(62);
    }
  });

  test('cooldowns go on', () => {
    const camera = new Camera({ cooldownMs: 300_000 });
    expect(camera.watch(5, PERSON)).toHaveLength(1);
    camera.restart(60, how);
    expect(camera.watch(30, CAR)).toEqual([]);
    camera.watch(10);
    camera.restart(300, how);
    const [alert] = camera.watch(5, CAR);
    expect(alert?.data.suppressed).toBe(1);
  });

  test('a crowd that was told is not told again, but one that comes anew is', () => {
    const camera = new Camera({ count: 2 });
    expect(camera.watch(70, CAR, PERSON)).toHaveLength(1);
    camera.restart(60, how);
    expect(camera.watch(1, CAR)).toEqual([]);
    expect(camera.watch(60, CAR, PERSON)).toEqual([]);
    camera.watch(10, CAR);
    expect(camera.watch(10, CAR, PERSON)).toHaveLength(1);
  });
});

describe('a gap', () => {
  test('of a camera that was lost tells nothing again of what is there afterwards', () => {
    const camera = new Camera();
    expect(camera.watch(70, CAR)).toHaveLength(1);
    camera.events.cameraLost();
    camera.nowMs += 1_800_000;
    expect(camera.watch(30, CAR, PERSON)).toHaveLength(1);
    camera.events.cameraLost();
    expect(camera.watch(30, CAR, PERSON)).toEqual([]);
  });

  test('of a minute is too long for what had just come, and of a day for anything', () => {
    const camera = new Camera();
    camera.watch(10, PERSON);
    camera.restart(60);
    expect(camera.watch(70, PERSON)).toHaveLength(1);
    camera.restart(86_400);
    expect(camera.watch(10, PERSON)).toHaveLength(1);
  });

  test('does not shield who comes to the same place later', () => {
    const camera = new Camera();
    expect(camera.watch(70, CAR)).toHaveLength(1);
    camera.restart(10);
    expect(camera.watch(30)).toEqual([]);
    expect(camera.watch(10, CAR)).toHaveLength(1);
  });
});

test('a clock that begins anew changes nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), (clockShift) => {
      const camera = new Camera({ cooldownMs: 120_000 });
      expect(camera.watch(70, CAR)).toHaveLength(1);
      camera.restart(30, 'crash', clockShift);
      expect(camera.watch(10, CAR, PERSON)).toEqual([]);
      expect(camera.rules.memory.objects).toHaveLength(2);
    }),
    { numRuns: 20 },
  );
});
