import { describe, expect, test } from 'vitest';
import { FrameRate } from '../../../src/vision/frame-rate.ts';
import { GeometryPlanner, type Wish } from '../../../src/vision/geometry-planner.ts';
import { ResultOrder } from '../../../src/vision/result-order.ts';
import { Scheduler, type WaitingCamera } from '../../../src/vision/scheduler.ts';

function waiting(names: string, sizeKey = '640x384'): WaitingCamera[] {
  return [...names].map((cameraId) => ({ cameraId, sizeKey }));
}

describe('Scheduler', () => {
  const served = (scheduler: Scheduler, list: WaitingCamera[], limit = 1): string =>
    scheduler
      .next(list, limit)
      .map(({ cameraId }) => cameraId)
      .join('');

  test('serves cameras in turn', () => {
    const scheduler = new Scheduler();
    const order = Array.from({ length: 6 }, () => served(scheduler, waiting('abc')));
    expect(order.join('')).toBe('abcabc');
  });

  test('a slow camera is served as soon as it has a frame', () => {
    const scheduler = new Scheduler();
    served(scheduler, waiting('b'));
    for (let turn = 0; turn < 5; turn++) expect(served(scheduler, waiting('a'))).toBe('a');
    expect(served(scheduler, waiting('ab'))).toBe('b');
  });

  test('puts frames of one size together, up to the limit', () => {
    const scheduler = new Scheduler();
    const all = [...waiting('ab'), ...waiting('c', '640x480'), ...waiting('de')];
    expect(served(scheduler, all, 3)).toBe('abd');
    expect(served(scheduler, all, 3)).toBe('c');
    expect(served(scheduler, all, 3)).toBe('eab');
  });

  test('nobody waits', () => {
    expect(new Scheduler().next([], 4)).toEqual([]);
  });
});

describe('ResultOrder', () => {
  test('gives results on in the order in which the work began', () => {
    const order = new ResultOrder<string>();
    const [a, b, c] = [order.begin(), order.begin(), order.begin()];
    expect(order.finish(b, 'b')).toEqual([]);
    expect(order.finish(a, 'a')).toEqual(['a', 'b']);
    const d = order.begin();
    expect(order.finish(d, 'd')).toEqual([]);
    expect(order.finish(c, 'c')).toEqual(['c', 'd']);
  });

  test('refuses what never began', () => {
    expect(() => new ResultOrder<string>().finish(Symbol('other'), 'x')).toThrow(RangeError);
  });
});

describe('FrameRate', () => {
  test('is the rate of the last five seconds', () => {
    const rate = new FrameRate();
    expect(rate.perSecond(0)).toBe(0);
    for (let ms = 0; ms < 10_000; ms += 100) rate.count(ms);
    expect(rate.perSecond(10_000)).toBeCloseTo(10, 0);
    expect(rate.perSecond(12_500)).toBeCloseTo(5, 0);
    expect(rate.perSecond(20_000)).toBe(0);
  });

  test('counts from the first frame on', () => {
    const rate = new FrameRate();
    for (let ms = 0; ms < 2000; ms += 100) rate.count(ms);
    expect(rate.perSecond(2000)).toBeCloseTo(10, 0);
  });
});

describe('GeometryPlanner', () => {
  const size = (
    planner: GeometryPlanner,
    width: number,
    height: number,
    wish: Partial<Wish> = {},
  ): string => {
    const picture = { width, height };
    const { modelWidth, modelHeight } = planner.geometryFor({
      picture,
      limit: null,
      mayAddSize: true,
      ...wish,
    });
    return `${modelWidth}x${modelHeight}`;
  };

  test('gives each shape its own size, up to six, and then squares', () => {
    const planner = new GeometryPlanner({ kind: 'rectangular', longSide: 640 });
    expect(size(planner, 1920, 1080)).toBe('640x384');
    expect(size(planner, 640, 480)).toBe('640x480');
    expect(size(planner, 1080, 1920)).toBe('384x640');
    expect(size(planner, 3840, 1080)).toBe('640x192');
    expect(size(planner, 480, 640)).toBe('480x640');
    expect(size(planner, 640, 600)).toBe('640x608');
    expect(size(planner, 600, 640)).toBe('640x640');
    expect(size(planner, 1280, 720)).toBe('640x384');
  });

  const within = (side: number): Partial<Wish> => ({ limit: { maxWidth: side, maxHeight: side } });

  test('makes the picture as large as its limit allows', () => {
    const planner = new GeometryPlanner({ kind: 'rectangular', longSide: 640 });
    expect(size(planner, 1920, 1080, within(320))).toBe('320x192');
    expect(size(planner, 1920, 1080, within(500))).toBe('480x288');
    expect(size(planner, 1920, 1080, within(8192))).toBe('640x384');
    expect(
      size(planner, 1920, 1080, { limit: { maxWidth: 8192, maxHeight: 180 } }),
      'by the side that is short',
    ).toBe('320x192');
  });

  test('shares frames where none may be added: the smallest that lose nothing, or the largest', () => {
    const planner = new GeometryPlanner({ kind: 'rectangular', longSide: 640 });
    const sharing: Partial<Wish> = { mayAddSize: false };
    expect(size(planner, 1920, 1080, sharing), 'the first is always made').toBe('640x384');
    expect(size(planner, 1920, 1080, { ...sharing, ...within(320) })).toBe('640x384');
    expect(size(planner, 640, 480, sharing)).toBe('640x384');
  });

  test('keeps to the size of a model that has one', () => {
    const planner = new GeometryPlanner({ kind: 'fixed', width: 416, height: 416 });
    expect(size(planner, 1920, 1080)).toBe('416x416');
  });
});
