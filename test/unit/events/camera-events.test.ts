import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CameraChanges,
  CameraEvents,
  type CameraEventsOptions,
} from '../../../src/events/camera-events.ts';
import { CameraRules } from '../../../src/events/rules/camera-rules.ts';
import { SiteClock } from '../../../src/events/rules/schedule.ts';
import { type ObjectEvent, objectEventSchema } from '../../../src/protocol/payloads.ts';
import type { ZoneSpec } from '../../../src/tracking/zones/zone-presence.ts';
import type { Detection } from '../../../src/vision/contract.ts';

const WALL_MS = 1_700_000_000_000;

function camera(options: Partial<CameraEventsOptions> = {}): CameraEvents {
  return new CameraEvents({
    cameraId: 'gate',
    minScore: 0.4,
    frameIntervalMs: 200,
    random: () => 0.5,
    snapshots: true,
    ...options,
  });
}

function person(x = 0.5, score = 0.8): Detection {
  return { label: 'person', classId: 0, score, box: { x, y: 0.3, width: 0.1, height: 0.4 } };
}

interface Played extends CameraChanges {
  all: CameraChanges[];
}

/** Shows frames at 5 a second; times in seconds. */
function play(
  events: CameraEvents,
  [from, to]: readonly [number, number],
  scene: (seconds: number) => Detection[],
  wallMs: (monoMs: number) => number = (monoMs) => WALL_MS + monoMs,
): Played {
  const all: CameraChanges[] = [];
  for (let frameId = Math.round(from * 5); frameId <= Math.round(to * 5); frameId++) {
    const monoMs = frameId * 200;
    all.push(
      events.frame({
        cameraId: 'gate',
        frameId,
        monoMs,
        wallMs: wallMs(monoMs),
        detections: scene(monoMs / 1000),
        inferenceMs: 10,
        model: 'yolov8n',
      }),
    );
  }
  return {
    all,
    events: all.flatMap((changes) => changes.events),
    detections: null,
    objects: null,
    snapshots: all.flatMap((changes) => changes.snapshots),
    alerts: all.flatMap((changes) => changes.alerts),
    frame: null,
    faceRequest: null,
    faces: { results: [], best: [] },
  };
}

describe('the life of an event', () => {
  test('begins when it is sure, as of the first sight, and ends as of the last', () => {
    const { events } = play(camera(), [0, 9], (t) => (t >= 1 && t <= 4 ? [person()] : []));
    expect(events.map(({ phase }) => phase)).toEqual(['new', 'end']);
    for (const event of events) objectEventSchema.parse(event);
    expect(events[0]).toEqual({
      phase: 'new',
      event_id: '1700000001.000001-ssssss',
      camera_id: 'gate',
      type: 'person',
      label: 'person',
      track_id: 1,
      start_time: WALL_MS + 1000,
      last_seen_time: WALL_MS + 1400,
      end_time: null,
      score: 0.8,
      top_score: 0.8,
      bounding_box: person().box,
      has_snapshot: false,
      model: 'yolov8n',
      timestamp: WALL_MS + 1400,
    });
    expect(events[1]).toMatchObject({
      start_time: WALL_MS + 1000,
      last_seen_time: WALL_MS + 4000,
      end_time: WALL_MS + 4000,
      end_reason: 'left',
      timestamp: WALL_MS + 7000,
    });
  });

  test('only scores from the camera’s own minimum begin an event', () => {
    const scene = () => [person(0.5, 0.55)];
    expect(play(camera({ minScore: 0.6 }), [0, 4], scene).events).toEqual([]);
    expect(play(camera({ minScore: 0.5 }), [0, 4], scene).events).toHaveLength(1);
  });

  test('an object that stands still is told again once a minute', () => {
    const { events } = play(camera({ snapshots: false }), [0, 150], () => [person()]);
    expect(events.map(({ phase }) => phase)).toEqual(['new', 'update', 'update']);
    expect(events[2]?.last_seen_time).toBe(WALL_MS + 120_400);
  });

  test('one that moves, at most every five seconds', () => {
    const { events } = play(camera(), [0, 16], (t) => [person(0.05 + 0.05 * t)]);
    const times = events.map(({ timestamp }) => (timestamp - WALL_MS) / 1000);
    expect(times).toEqual([0.4, 5.4, 10.4, 15.4]);
  });

  test('a better score and a picture are worth an update', () => {
    const events = camera();
    const scene = (t: number) => [person(0.5, t < 6 ? 0.7 : 0.9)];
    const { snapshots } = play(events, [0, 1], scene);
    const box = { x: 0.1, y: 0.2, width: 0.3, height: 0.4 };
    events.snapshotSaved(snapshots[0]?.eventId ?? '', box);
    const updates = play(events, [1.2, 20], scene).events;
    expect(updates.map((event) => [event.has_snapshot, event.top_score])).toEqual([
      [true, 0.7],
      [true, 0.9],
    ]);
    // Not where it is now: where it is in the picture.
    expect(updates.map((event) => event.snapshot_box)).toEqual([box, box]);
  });

  test('two objects are two events with ids of their own', () => {
    const { events } = play(camera(), [0, 2], () => [person(0.1), person(0.7)]);
    expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(2);
  });
});

describe('zones of an event', () => {
  /** Left and right half of the picture. */
  const half = (name: string, left: number, inertiaMs = 0) => {
    const [x, right] = [left, left + 0.5];
    const polygon = [
      { x, y: 0 },
      { x: right, y: 0 },
      { x: right, y: 1 },
      { x, y: 1 },
    ];
    return { name, polygon, inertiaMs, ground: null };
  };
  const rulesWith = (zones: readonly ZoneSpec[]) =>
    new CameraRules({
      ...{ cameraId: 'gate', zones, lines: [], rules: [], siteClock: new SiteClock('UTC') },
    });
  const zonesOf = (events: readonly ObjectEvent[]) =>
    events.map(({ phase, current_zones, entered_zones }) => [phase, current_zones, entered_zones]);

  test('are not named where the camera has none', () => {
    const { events } = play(camera({ rules: rulesWith([]) }), [0, 1], () => [person()]);
    expect(zonesOf(events)).toEqual([['new', undefined, undefined]]);
  });

  test('an entry is told at once, and a way out with the next update', () => {
    const rules = rulesWith([half('right', 0.5), half('left', 0)]);
    const { events } = play(camera({ rules, snapshots: false }), [0, 12], (t) => {
      const isLeft = t < 1 || t > 2;
      return t < 8 ? [person(isLeft ? 0.42 : 0.48)] : [];
    });
    expect(zonesOf(events)).toEqual([
      ['new', ['left'], ['left']],
      ['update', ['right'], ['left', 'right']],
      ['update', ['left'], ['left', 'right']],
      ['end', ['left'], ['left', 'right']],
    ]);
    const times = events.map(({ timestamp }) => (timestamp - WALL_MS) / 1000);
    expect(times.slice(0, 3)).toEqual([0.4, 1, 6]);
    for (const event of events) objectEventSchema.parse(event);
  });

  test('a zone that is crossed before the event is sure of itself was entered', () => {
    const rules = rulesWith([half('left', 0)]);
    const { events } = play(camera({ rules }), [0, 0.4], (t) => [person(t < 0.3 ? 0.44 : 0.48)]);
    expect(zonesOf(events)).toEqual([['new', [], ['left']]]);
  });

  test('to be in one for less than its inertia is not to have been there', () => {
    const rules = rulesWith([half('right', 0.5, 1000)]);
    const { events } = play(camera({ rules, snapshots: false }), [0, 9], (t) =>
      t < 5 ? [person(t > 2 && t < 2.9 ? 0.48 : 0.42)] : [],
    );
    expect(zonesOf(events)).toEqual([
      ['new', [], []],
      ['end', [], []],
    ]);
  });
});

describe('a camera that falls silent', () => {
  test('its events end by the tick, once', () => {
    const events = camera();
    play(events, [0, 4], () => [person()]);
    const ticks = [5000, 6000, 7000, 8000, 9000, 10_000].map((monoMs) => events.tick(monoMs));
    const ended = ticks.map((changes) => changes.events.map(({ end_reason }) => end_reason));
    expect(ended).toEqual([[], [], [], ['camera_lost'], [], []]);
    expect(ticks[3]?.events[0]?.end_time).toBe(WALL_MS + 4000);
    expect(ticks[3]?.detections?.detections).toEqual([]);
    expect(events.active).toBe(0);
  });

  test('ticks between frames end nothing, whatever time the frames have', () => {
    const events = camera();
    for (let second = 0; second < 20; second++) {
      play(events, [second, second + 0.8], () => [person()]);
      expect(events.tick(1e9 + second * 1500).events).toEqual([]);
    }
    expect(events.active).toBe(1);
  });

  test('who stands there when it is back is a new event', () => {
    const events = camera();
    play(events, [0, 4], () => [person()]);
    const { events: later } = play(events, [20, 22], () => [person()]);
    expect(later.map(({ phase, end_reason }) => [phase, end_reason])).toEqual([
      ['end', 'camera_lost'],
      ['new', undefined],
    ]);
    expect(later[0]?.end_time).toBe(WALL_MS + 4000);
    expect(later[1]?.start_time).toBe(WALL_MS + 20_000);
    expect(later[1]?.track_id).toBeGreaterThan(later[0]?.track_id ?? 0);
  });

  test('a time that begins anew, as when a file plays again, begins anew', () => {
    const events = camera();
    play(events, [100, 104], () => [person()]);
    const { all, events: later } = play(events, [0, 4], () => [person()]);
    expect(later.map(({ phase }) => phase)).toEqual(['end', 'new']);
    expect(all[0]?.detections?.detections).toEqual([]);
    expect(all.filter(({ detections }) => detections?.detections.length === 1)).toHaveLength(1);
  });

  test('a frame that comes after a newer one is left out', () => {
    const events = camera();
    play(events, [0, 2], () => [person()]);
    expect(play(events, [1, 1], () => [person(0.1)]).events).toEqual([]);
    expect(events.lateFrames).toBe(1);
  });

  test('a stop of the program ends events as of their last sight', () => {
    const events = camera();
    play(events, [0, 4], (t) => (t <= 3 ? [person()] : []));
    const [end, ...rest] = events.shutdown().events;
    expect(rest).toEqual([]);
    expect(end).toMatchObject({ phase: 'end', end_reason: 'shutdown', end_time: WALL_MS + 3000 });
    expect(events.shutdown().events).toEqual([]);
  });
});

describe('a wall clock that is set', () => {
  test.each([-3_600_000, 50 * 365 * 86_400_000])('by %d ms bends no duration', (jumpMs) => {
    const wall = (monoMs: number) => WALL_MS + monoMs + (monoMs > 2000 ? jumpMs : 0);
    const scene = (t: number) => (t <= 4 ? [person()] : []);
    const { events } = play(camera(), [0, 9], scene, wall);
    expect(events.at(-1)).toMatchObject({ start_time: WALL_MS, end_time: WALL_MS + 4000 });
  });
});

describe('pictures', () => {
  test('are asked for at the start and when a better frame comes', () => {
    const scene = (t: number) => {
      const height = 0.2 + 0.1 * t;
      return [{ ...person(), box: { x: 0.4, y: 0.1, width: 0.1, height } }];
    };
    const { snapshots, events } = play(camera(), [0, 5], scene);
    expect(snapshots[0]).toEqual({
      cameraId: 'gate',
      eventId: events[0]?.event_id,
      frameId: 2,
      box: scene(0.4)[0]?.box,
    });
    const frames = snapshots.map(({ frameId }) => frameId);
    expect(frames).toEqual([2, 7, 12, 17, 22]);
  });

  test('are not asked for where none are kept', () => {
    expect(play(camera({ snapshots: false }), [0, 5], () => [person()]).snapshots).toEqual([]);
  });

  test('one that could not be had is asked for again', () => {
    const events = camera();
    const { snapshots } = play(events, [0, 0.4], () => [person()]);
    events.snapshotMissed(snapshots[0]?.eventId ?? '');
    expect(
      play(events, [0.6, 3], () => [person()]).snapshots.map(({ frameId }) => frameId),
    ).toEqual([7]);
  });
});

describe('whatever the detector finds', () => {
  test('every event begins once, ends once, and its times are in order', () => {
    const place = fc.integer({ min: 0, max: 8 }).map((n) => n / 10);
    const shown = fc.array(
      fc.array(fc.tuple(place, fc.double({ min: 0.1, max: 1, noNaN: true })), { maxLength: 4 }),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(shown, (scenes) => {
        const events = camera();
        const scene = (t: number) =>
          (scenes[Math.floor(t)] ?? []).map(([x, score]) => person(x, score));
        const told = [
          ...play(events, [0, scenes.length], scene).events,
          ...events.shutdown().events,
        ];
        for (const id of new Set(told.map(({ event_id }) => event_id))) {
          const life = told.filter(({ event_id }) => event_id === id);
          const phases = life.map(({ phase }) => phase);
          expect(phases[0]).toBe('new');
          expect(phases.indexOf('end')).toBe(phases.length - 1);
          for (const event of life) {
            objectEventSchema.parse(event);
            expect(event.start_time).toBeLessThanOrEqual(event.last_seen_time);
            expect(event.last_seen_time).toBeLessThanOrEqual(event.timestamp);
          }
        }
      }),
    );
  });
});
