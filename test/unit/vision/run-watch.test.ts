import { describe, expect, test } from 'vitest';
import { RunWatch } from '../../../src/vision/run-watch.ts';

describe('RunWatch', () => {
  test('gives the first run of a size the time to build an engine, and later ones little', () => {
    const watch = new RunWatch();
    const first = watch.begin('640x384', 0);
    expect(watch.isHung(19 * 60_000)).toBe(false);
    watch.end(first);
    watch.begin('640x384', 20 * 60_000);
    expect(watch.isHung(20 * 60_000 + 29_000)).toBe(false);
    expect(watch.isHung(20 * 60_000 + 31_000)).toBe(true);
  });

  test('is content when nothing runs, and with a size of its own', () => {
    const watch = new RunWatch();
    expect(watch.isHung(1e9)).toBe(false);
    watch.end(watch.begin('640x384', 0));
    watch.begin('640x480', 0);
    expect(watch.isHung(60_000)).toBe(false);
    expect(watch.isHung(21 * 60_000)).toBe(true);
  });
});
