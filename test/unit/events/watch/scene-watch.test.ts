import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  SCENE_GRID,
  similarity,
  structureOf,
} from '../../../../src/events/watch/scene-features.ts';
import { type SceneSample, SceneWatch } from '../../../../src/events/watch/scene-watch.ts';

const CELLS = SCENE_GRID.width * SCENE_GRID.height;

/** A picture of things in different places for each seed, with grey levels about 60 to 180. */
function picture(seed: number): number[] {
  return Array.from({ length: CELLS }, (_, index) => {
    const [x, y] = [index % SCENE_GRID.width, Math.floor(index / SCENE_GRID.width)];
    const noise = Math.sin(Math.floor(x / 4) * 12.9898 + Math.floor(y / 3) * 78.233 + seed * 37.7);
    return 60 + Math.abs((noise * 43_758.5453) % 1) * 120;
  });
}

const sampleOf = (grey: readonly number[], more: Partial<SceneSample> = {}): SceneSample => ({
  ...{ deviation: 40, sharpness: 4, isGrey: false, structure: structureOf(grey) },
  ...more,
});

const [GATE, ROAD] = [picture(1), picture(2)];
const BLACK = sampleOf(Array(CELLS).fill(1), { deviation: 0.2, sharpness: 0.1, isGrey: true });

let watch: SceneWatch;
let nowMs: number;

/** What begins and ends over so many samples, ten seconds apart. */
function pass(samples: number, sample: SceneSample): string[] {
  const told: string[] = [];
  for (let each = 0; each < samples; each++) {
    nowMs += 10_000;
    for (const { key, condition } of watch.look(sample, nowMs)) {
      const what = `${condition === null ? '-' : '+'}${key.split(':')[0]}`;
      const isOpen = open.has(key);
      if ((condition === null) === isOpen) told.push(what);
      if (condition === null) open.delete(key);
      else open.add(key);
    }
  }
  return told;
}
const open = new Set<string>();

beforeEach(() => {
  open.clear();
  nowMs = 0;
  watch = new SceneWatch('gate', { obscured: 'high', changed: 'medium' });
  expect(pass(30, sampleOf(GATE))).toEqual([]);
});

describe('a camera that is covered', () => {
  test('is told of after some samples, and when it sees again', () => {
    expect(pass(3, BLACK)).toEqual([]);
    expect(pass(20, BLACK)).toEqual(['+camera_obscured']);
    expect(pass(1, sampleOf(GATE))).toEqual([]);
    expect(pass(5, sampleOf(GATE))).toEqual(['-camera_obscured']);
  });

  test('from the beginning is told of, too', () => {
    watch = new SceneWatch('gate', { obscured: 'high', changed: 'medium' });
    expect(pass(10, BLACK)).toEqual(['+camera_obscured']);
  });

  test('for a moment, by a hand or a lorry, is not', () => {
    for (let each = 0; each < 10; each++) {
      expect(pass(3, BLACK)).toEqual([]);
      expect(pass(3, sampleOf(GATE))).toEqual([]);
    }
  });
});

describe('a camera that is blurred', () => {
  test('is told of', () => {
    expect(pass(5, sampleOf(GATE, { sharpness: 0.8 }))).toEqual(['+camera_obscured']);
    expect(pass(5, sampleOf(GATE))).toEqual(['-camera_obscured']);
  });

  test('is not one at night, whose picture has less contrast', () => {
    expect(pass(50, sampleOf(GATE, { sharpness: 0.4, deviation: 5 }))).toEqual([]);
  });
});

describe('a camera that is turned', () => {
  test('is told of after a minute, and when it is turned back', () => {
    expect(pass(6, sampleOf(ROAD))).toEqual([]);
    expect(pass(20, sampleOf(ROAD))).toEqual(['+scene_changed']);
    expect(pass(5, sampleOf(GATE))).toEqual(['-scene_changed']);
  });

  test('and stays so is no news after half an hour', () => {
    expect(pass(400, sampleOf(ROAD))).toEqual(['+scene_changed', '-scene_changed']);
    expect(pass(20, sampleOf(GATE))).toEqual(['+scene_changed']);
  });

  test('is told of by infrared light, too', () => {
    // By its own lamp much looks otherwise.
    const lit = GATE.map((grey, index) => grey * 0.5 + (picture(3)[index] ?? 0) * 0.5);
    expect(pass(30, sampleOf(lit, { isGrey: true }))).toEqual([]);
    expect(pass(20, sampleOf(ROAD, { isGrey: true }))).toEqual(['+scene_changed']);
  });
});

describe('what is no change', () => {
  test('is the way that people pass', () => {
    for (let step = 0; step < 60; step++) {
      const person = GATE.map((grey, index) =>
        Math.abs((index % SCENE_GRID.width) - (step % 32)) < 4 ? 20 : grey,
      );
      expect(pass(1, sampleOf(person))).toEqual([]);
    }
  });

  test('is light that comes and goes, at once or slowly', () => {
    const light = fc.array(
      fc.record({
        gain: fc.double({ min: 0.2, max: 1.3, noNaN: true }),
        offset: fc.double({ min: -50, max: 100, noNaN: true }),
        isGrey: fc.boolean(),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(light, (steps) => {
        for (const { gain, offset, isGrey } of steps) {
          const lit = GATE.map((grey) => grey * gain + offset);
          const more = { deviation: 40 * gain, sharpness: 4 * gain, isGrey };
          expect(pass(10, sampleOf(lit, more))).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('is a scene that becomes another one little by little', () => {
    for (let share = 0; share <= 1; share += 0.01) {
      const between = GATE.map((grey, index) => grey * (1 - share) + (ROAD[index] ?? 0) * share);
      expect(pass(5, sampleOf(between))).toEqual([]);
    }
  });
});

test('what is switched off is not looked for', () => {
  watch = new SceneWatch('gate', { obscured: null, changed: null });
  expect([...pass(30, sampleOf(GATE)), ...pass(50, sampleOf(ROAD)), ...pass(50, BLACK)]).toEqual(
    [],
  );
});

test('a structure is as like itself as can be, and like the negative as little', () => {
  const structure = structureOf(GATE);
  expect(similarity(structure, structure)).toBeCloseTo(1);
  expect(similarity(structure, structureOf(GATE.map((grey) => 255 - grey)))).toBeCloseTo(-1);
  expect(Math.abs(similarity(structure, structureOf(ROAD)))).toBeLessThan(0.3);
  expect(similarity(structure, structureOf(Array(CELLS).fill(7)))).toBe(0);
});
