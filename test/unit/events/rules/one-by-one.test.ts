import { describe, expect, test } from 'vitest';
import { configSchema } from '../../../../src/config/schema.ts';
import { planRules } from '../../../../src/edge/cameras/camera-rules-plan.ts';
import { CameraEvents } from '../../../../src/events/camera-events.ts';
import type { AlertTriggered } from '../../../../src/protocol/payloads.ts';
import { oneByOneFrames, VISITS } from '../../../support/one-by-one.ts';

const WALL_MS = Date.parse('2026-01-05T12:00:00Z');
const LOITERING_S = 15;
/** Visits that are longer: 22, 20 and 28 s. The others last 13 and 12.5 s. */
const LONG = VISITS.filter(([enter, leave]) => leave - enter > LOITERING_S);

/** What rules, written as in the file, say of the clip. */
function watch(rules: object, fps = 5) {
  const config = configSchema.parse({
    cameras: {
      hall: {
        path: '/clip.mp4',
        zones: {
          room: { coordinates: '0.35,0.6,1,0.6,1,1,0.35,1' },
          sky: { coordinates: '0,0,1,0,1,0.1,0,0.1' },
        },
        // Over the threshold everybody walks up into the picture; to the right they leave it.
        lines: {
          threshold: { coordinates: '0,0.945,1,0.945' },
          exit: { coordinates: '0.75,0,0.75,1' },
        },
      },
    },
    rules,
  });
  const cameraRules = planRules(config, 'hall');
  const events = new CameraEvents({
    cameraId: 'hall',
    minScore: 0.4,
    frameIntervalMs: 1000 / fps,
    random: Math.random,
    snapshots: false,
    rules: cameraRules,
  });
  const changes = oneByOneFrames(fps).map(({ timeMs, detections }, frameId) => {
    const frame = { cameraId: 'hall', frameId, monoMs: timeMs, wallMs: WALL_MS + timeMs };
    return events.frame({ ...frame, detections, inferenceMs: 10, model: 'yolov8n' });
  });
  return {
    alerts: changes.flatMap(({ alerts }) => alerts),
    told: [...changes, events.shutdown()].flatMap((each) => each.events),
    counts: cameraRules?.counts,
  };
}

const seconds = ({ timestamp }: AlertTriggered): number => (timestamp - WALL_MS) / 1000;

describe('one-by-one-person-detection.mp4', () => {
  test.each([2, 5, 10])(
    'has a loitering alert for each visit of more than 15 s, at %d frames a second',
    (fps) => {
      const { alerts } = watch({ loitering: { duration_s: LOITERING_S, cooldown_s: 0 } }, fps);
      expect(alerts.map(({ type }) => type)).toEqual(LONG.map(() => 'loitering_detected'));
      for (const [index, [enter]] of LONG.entries())
        expect(Math.abs(seconds(alerts[index]!) - enter - LOITERING_S)).toBeLessThan(1.1);
      expect(alerts[0]?.data).toMatchObject({ rule: 'loitering', why: 'person in view for 15 s' });
    },
  );

  test('the same in a zone', () => {
    const rule = { duration_s: LOITERING_S, cooldown_s: 0, zones: ['room'] };
    const { alerts } = watch({ loitering: rule });
    expect(alerts.map(({ data }) => data.zone)).toEqual(LONG.map(() => 'room'));
  });

  test.each([2, 5, 10])(
    'has six events that enter the room once, and never anything else, at %d frames a second',
    (fps) => {
      const { told } = watch({}, fps);
      const ids = [...new Set(told.map(({ event_id }) => event_id))];
      expect(ids).toHaveLength(VISITS.length);
      for (const id of ids) {
        const life = told.filter(({ event_id }) => event_id === id);
        expect(life.at(-1)).toMatchObject({ phase: 'end', entered_zones: ['room'] });
        const isEntered = life.map(({ entered_zones }) => entered_zones?.includes('room'));
        expect(isEntered).toEqual([...isEntered].sort());
        // Who is in a zone has entered it.
        for (const { current_zones, entered_zones } of life)
          expect(entered_zones).toEqual(expect.arrayContaining(current_zones ?? []));
      }
    },
  );

  // 38, 65 and 107 s: the second comes 27 s after the first, the third 69 s after it and 42 s after the second.
  test.each([
    [20, [38, 65, 107], [undefined, undefined, undefined]],
    [40, [38, 107], [undefined, 1]],
    [68, [38, 107], [undefined, 1]],
    [75, [38], [undefined]],
  ])(
    'with a cooldown of %d s has those that are left when counted by hand',
    (cooldown, times, held) => {
      const { alerts } = watch({ loitering: { duration_s: LOITERING_S, cooldown_s: cooldown } });
      expect(alerts).toHaveLength(times.length);
      for (const [index, time] of times.entries())
        expect(Math.abs(seconds(alerts[index]!) - time)).toBeLessThan(1.1);
      expect(alerts.map(({ data }) => data.suppressed)).toEqual(held);
    },
  );

  test.each([2, 5, 10])(
    'has six entries and six exits across its lines, at %d frames a second',
    (fps) => {
      const lines = {
        entries: { lines: ['threshold'], direction: 'left', cooldown_s: 0 },
        exits: { lines: ['exit'], direction: 'left', cooldown_s: 0 },
      };
      const { alerts, counts } = watch(lines, fps);
      expect(counts?.lines).toEqual({
        threshold: { left: 6, right: 0 },
        exit: { left: 6, right: 0 },
      });
      expect(alerts.map(({ data }) => data.rule)).toEqual(
        VISITS.flatMap(() => ['entries', 'exits']),
      );
      expect(new Set(alerts.map(({ type }) => type))).toEqual(new Set(['perimeter_breach']));
      for (const [index, [enter, leave]] of VISITS.entries()) {
        expect(Math.abs(seconds(alerts[2 * index]!) - enter)).toBeLessThan(2.6);
        expect(Math.abs(seconds(alerts[2 * index + 1]!) - leave)).toBeLessThan(1.6);
      }
    },
  );
});
