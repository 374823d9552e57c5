import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tracker } from '../../../src/tracking/tracker.ts';
import type { Track, TrackedDetection, TrackerUpdate } from '../../../src/tracking/types.ts';

const VEHICLES = new Set(['car', 'truck', 'bus']);
const groupOf = (label: string) => (VEHICLES.has(label) ? 'vehicle' : label);

interface Look {
  label?: string;
  score?: number;
  width?: number;
  height?: number;
  y?: number;
}

/** An object with its centre at `cx`. */
function seen(cx: number, look: Look = {}): TrackedDetection {
  const { label = 'person', score = 0.9, width = 0.1, height = 0.3, y = 0.4 } = look;
  return { label, classId: 0, score, box: { x: cx - width / 2, y, width, height } };
}

interface Summary {
  started: Track[];
  ended: Track[];
  updates: TrackerUpdate[];
}

/** Shows the tracker what a scene contains at each time. */
function play(
  tracker: Tracker,
  scene: (seconds: number) => TrackedDetection[],
  { from = 0, to, fps }: { from?: number; to: number; fps: number },
): Summary {
  const updates: TrackerUpdate[] = [];
  for (let frame = Math.round(from * fps); frame <= Math.round(to * fps); frame++) {
    updates.push(tracker.update(scene(frame / fps), (frame / fps) * 1000));
  }
  return {
    updates,
    started: updates.flatMap(({ started }) => started),
    ended: updates.flatMap(({ ended }) => ended),
  };
}

describe('the life of a track', () => {
  test.each([2, 5, 10, 30])('is confirmed after a time, at %d frames a second', (fps) => {
    const { updates, started } = play(new Tracker(), () => [seen(0.5)], { to: 2, fps });
    const first = updates.findIndex((update) => update.started.length > 0) / fps;
    expect(first).toBeGreaterThanOrEqual(0.4);
    expect(first).toBeLessThanOrEqual(1);
    expect(started).toHaveLength(1);
    expect(started[0]).toMatchObject({ id: 1, label: 'person', firstSeenMs: 0 });
  });

  test('what flashes up for a moment is never told', () => {
    const { started } = play(new Tracker(), (t) => (t % 2 < 0.3 ? [seen(0.5)] : []), {
      to: 20,
      fps: 10,
    });
    expect(started).toEqual([]);
  });

  test('what is there in fewer than half of the frames is never told', () => {
    const flicker = (t: number) => (Math.round(t * 10) % 3 === 0 ? [seen(0.5)] : []);
    expect(play(new Tracker(), flicker, { to: 20, fps: 10 }).started).toEqual([]);
  });

  test('ends when out of sight for the lost time, as of when it was seen last', () => {
    const tracker = new Tracker({ lostAfterMs: 2800 });
    const { ended, updates } = play(tracker, (t) => (t <= 3 ? [seen(0.5)] : []), { to: 8, fps: 5 });
    expect(ended).toHaveLength(1);
    expect(ended[0]).toMatchObject({ id: 1, firstSeenMs: 0, lastSeenMs: 3000, hits: 16 });
    expect(updates.findIndex((update) => update.ended.length > 0) / 5).toBeCloseTo(6, 5);
  });

  test.each([5, 10, 25])('goes on over a gap of 2 s, at %d frames a second', (fps) => {
    const scene = (t: number) => (t > 3 && t < 5 ? [] : [seen(0.5)]);
    const { started, ended } = play(new Tracker(), scene, { to: 8, fps });
    expect([started.length, ended.length]).toEqual([1, 0]);
  });

  test('a visitor who stands where another stood 3.5 s before is someone else', () => {
    const scene = (t: number) => (t > 3 && t < 6.5 ? [] : [seen(0.5)]);
    const { started, ended } = play(new Tracker(), scene, { to: 10, fps: 10 });
    expect(started.map(({ id }) => id)).toEqual([1, 2]);
    expect(ended.map(({ id }) => id)).toEqual([1]);
  });

  test('a pause of the frames longer than the lost time ends a track', () => {
    const tracker = new Tracker();
    play(tracker, () => [seen(0.5)], { to: 2, fps: 5 });
    const { seen: again, ended } = tracker.update([seen(0.5)], 9000);
    expect(ended).toHaveLength(1);
    expect(again).toEqual([]);
  });

  test('flush ends what goes on; ids go on', () => {
    const tracker = new Tracker();
    play(tracker, () => [seen(0.2), seen(0.8)], { to: 2, fps: 5 });
    expect(tracker.flush().map(({ id }) => id)).toEqual([1, 2]);
    expect(tracker.flush()).toEqual([]);
    const { started } = play(tracker, () => [seen(0.2)], { to: 2, fps: 5 });
    expect(started.map(({ id }) => id)).toEqual([3]);
  });

  test('tells the last detection, the best and the median score', () => {
    const scores = [0.9, 0.6, 0.7, 0.8, 0.5];
    const tracker = new Tracker();
    const update = scores
      .map((score, frame) => tracker.update([seen(0.5 + frame / 100, { score })], frame * 200))
      .at(-1);
    expect(update?.seen[0]).toMatchObject({ score: 0.5, topScore: 0.9, medianScore: 0.7 });
    expect(update?.seen[0]?.box).toEqual(seen(0.54).box);
  });
});

describe('weak detections', () => {
  test('start no track', () => {
    const scene = () => [seen(0.5, { score: 0.45 })];
    expect(play(new Tracker(), scene, { to: 5, fps: 5 }).started).toEqual([]);
  });

  test('carry a track on while the object is half hidden', () => {
    const scene = (t: number) => [seen(0.5, { score: t > 2 && t < 6 ? 0.2 : 0.9 })];
    const { started, updates } = play(new Tracker(), scene, { to: 8, fps: 5 });
    expect(started).toHaveLength(1);
    expect(updates.slice(5).every((update) => update.seen.length === 1)).toBe(true);
  });

  test('do not keep a track for ever', () => {
    const scene = (t: number) => [seen(0.5, { score: t > 2 ? 0.2 : 0.9 })];
    const { ended } = play(new Tracker(), scene, { to: 12, fps: 5 });
    expect(ended[0]?.lastSeenMs).toBe(7000);
  });

  test('below the lowest score are not looked at', () => {
    const scene = (t: number) => [seen(0.5, { score: t > 2 ? 0.05 : 0.9 })];
    expect(play(new Tracker(), scene, { to: 6, fps: 5 }).ended[0]?.lastSeenMs).toBe(2000);
  });
});

describe('labels', () => {
  test('a vehicle that is car here and truck there is one track under the label seen most', () => {
    const tracker = new Tracker({ groupOf });
    const scene = (t: number) => [
      seen(0.5, { label: Math.round(t * 5) % 3 === 0 ? 'truck' : 'car' }),
    ];
    const { started, updates } = play(tracker, scene, { to: 6, fps: 5 });
    expect(started).toHaveLength(1);
    expect(updates.at(-1)?.seen[0]?.label).toBe('car');
  });

  test('two boxes of one vehicle under two labels are one track', () => {
    const scene = () => [seen(0.5, { label: 'bus' }), seen(0.505, { label: 'truck', score: 0.7 })];
    const { started } = play(new Tracker({ groupOf }), scene, { to: 3, fps: 5 });
    expect(started.map(({ label }) => label)).toEqual(['bus']);
  });

  test('a person does not go on as a car', () => {
    const scene = (t: number) => [seen(0.5, { label: t < 3 ? 'person' : 'car' })];
    const { started } = play(new Tracker({ groupOf }), scene, { to: 8, fps: 5 });
    expect(started.map(({ label }) => label)).toEqual(['person', 'car']);
  });
});

describe('motion', () => {
  // A person of 1.7 m is 0.3 of the picture high: walking is 0.14 pictures a second on a 16:9 camera.
  test.each([2, 3, 5, 10])('someone who walks past is one track at %d frames a second', (fps) => {
    const { started, ended } = play(new Tracker(), (t) => [seen(0.05 + 0.14 * t)], { to: 6, fps });
    expect([started.length, ended.length]).toEqual([1, 0]);
  });

  test.each([2, 5, 10])(
    'two who walk past each other keep their ids at %d frames a second',
    (fps) => {
      const scene = (t: number) => [seen(0.1 + 0.14 * t), seen(0.9 - 0.14 * t, { y: 0.45 })];
      const { updates, started } = play(new Tracker(), scene, { to: 5.5, fps });
      expect(started).toHaveLength(2);
      const rightwards = updates.map(({ seen: tracks }) => tracks.find(({ box }) => box.y < 0.42));
      const ids = new Set(rightwards.flatMap((track) => track?.id ?? []));
      expect(ids.size).toBe(1);
    },
  );

  test('two who walk one behind the other are not mistaken, one step apart', () => {
    const scene = (t: number) => [seen(0.1 + 0.14 * t), seen(0.24 + 0.14 * t, { y: 0.45 })];
    const { updates, started } = play(new Tracker(), scene, { to: 4, fps: 2 });
    expect(started).toHaveLength(2);
    const behind = updates.flatMap(({ seen: tracks }) => tracks.filter(({ box }) => box.y < 0.42));
    expect(new Set(behind.map(({ id }) => id)).size).toBe(1);
  });

  test('one who is hidden by another for a second comes out as the same', () => {
    const scene = (t: number) => {
      const passing = seen(0.1 + 0.14 * t, { height: 0.2 });
      return t > 2.3 && t < 3.4 ? [seen(0.5)] : [seen(0.5), passing];
    };
    const { started, ended } = play(new Tracker(), scene, { to: 6, fps: 10 });
    expect([started.length, ended.length]).toEqual([2, 0]);
  });

  test('someone elsewhere in the picture is someone else, even at once', () => {
    const scene = (t: number) => [seen(t < 3 ? 0.1 : 0.9)];
    const { started } = play(new Tracker(), scene, { to: 6, fps: 5 });
    expect(started).toHaveLength(2);
  });
});

const box = fc.record({
  x: fc.double({ min: 0, max: 0.9, noNaN: true }),
  y: fc.double({ min: 0, max: 0.9, noNaN: true }),
  width: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
  height: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
});
const detection = fc.record({
  label: fc.constantFrom('person', 'car', 'truck'),
  classId: fc.constant(0),
  score: fc.double({ min: 0.1, max: 1, noNaN: true }),
  box,
});
const frames = fc.array(fc.array(detection, { maxLength: 8 }), { minLength: 1, maxLength: 20 });
const tolerant = { groupOf, confirmAfterMs: 0, confirmHits: 1 };

describe('whatever is shown', () => {
  test('the order of the detections in a frame does not matter', () => {
    fc.assert(
      fc.property(frames, fc.infiniteStream(fc.nat()), (shown, dice) => {
        const [one, other] = [new Tracker(tolerant), new Tracker(tolerant)];
        shown.forEach((detections, frame) => {
          const shuffled = detections
            .map((item) => ({ item, at: dice.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
          expect(other.update(shuffled, frame * 200)).toEqual(one.update(detections, frame * 200));
        });
      }),
    );
  });

  test('ids are unique, and a track starts once and ends once', () => {
    fc.assert(
      fc.property(frames, (shown) => {
        const tracker = new Tracker({ ...tolerant, lostAfterMs: 500 });
        const updates = shown.map((detections, frame) => tracker.update(detections, frame * 200));
        const started = updates.flatMap((update) => update.started.map(({ id }) => id));
        const ended = [...updates.flatMap((update) => update.ended), ...tracker.flush()];
        expect(new Set(started).size).toBe(started.length);
        expect(ended.map(({ id }) => id).sort()).toEqual([...started].sort());
        for (const { seen: tracks } of updates) {
          expect(new Set(tracks.map(({ id }) => id)).size).toBe(tracks.length);
        }
      }),
    );
  });

  test('a track never jumps from one place to another far away', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 40 }), (presence) => {
        const tracker = new Tracker(tolerant);
        const places = new Map<number, boolean>();
        presence.forEach(([left, right], frame) => {
          const shown = [...(left ? [seen(0.1)] : []), ...(right ? [seen(0.9)] : [])];
          for (const { id, box: found } of tracker.update(shown, frame * 200).seen) {
            const isLeft = found.x < 0.5;
            expect(places.get(id) ?? isLeft).toBe(isLeft);
            places.set(id, isLeft);
          }
        });
      }),
    );
  });

  test('numbers that make no sense are counted and not looked at; what is told is finite', () => {
    const wild = fc.oneof(
      fc.double(),
      fc.constantFrom(Number.NaN, -0.1, 0, 1e-300, 0.2, 0.5, 1e308),
    );
    const wildDetection = fc.record({
      label: fc.constantFrom('person', 'car'),
      classId: fc.constant(0),
      score: fc.oneof({ weight: 3, arbitrary: fc.constant(0.8) }, { weight: 1, arbitrary: wild }),
      box: fc.record({ x: wild, y: wild, width: wild, height: wild }),
    });
    const wildFrames = fc.array(fc.tuple(fc.array(wildDetection, { maxLength: 8 }), fc.double()));
    fc.assert(
      fc.property(wildFrames, (shown) => {
        const tracker = new Tracker(tolerant);
        for (const [detections, timeMs] of shown) {
          const { seen: tracks, ended } = tracker.update(detections, timeMs);
          for (const track of [...tracks, ...ended]) {
            const { box: found, medianScore, firstSeenMs, lastSeenMs } = track;
            const numbers = [...Object.values(found), medianScore, firstSeenMs, lastSeenMs];
            expect(numbers.every(Number.isFinite)).toBe(true);
            expect(lastSeenMs).toBeGreaterThanOrEqual(firstSeenMs);
          }
        }
      }),
    );
    const tracker = new Tracker();
    tracker.update([seen(Number.NaN), seen(0.5, { width: -1 }), seen(0.5, { score: 7 })], 0);
    expect(tracker.refused).toBe(3);
  });
});
