import { describe, expect, test } from 'vitest';
import { DeviceClock } from '../../../src/hub/ingest/device-clock.ts';

describe('times of a client', () => {
  test('are corrected by the offset of its monotonic clock', () => {
    const clock = new DeviceClock('boot-1', [], true);
    clock.report({ offset_ms: 1_000_000 });
    const near = { deviceMs: 1_000_704, correctedMs: 1_000_700, clockSuspect: false };
    expect(clock.judge('e', 1_000_704, 700)).toEqual(near);
    expect(clock.judge('e', 1_005_801, 800)).toMatchObject({ clockSuspect: true });
    expect(clock.judge('e', 995_799, 800)).toMatchObject({ clockSuspect: true });
  });

  test('of another boot are taken as they are from a clock that is set', () => {
    const streams = [{ epoch: 'old', boot_id: 'boot-0' }, { epoch: 'new' }];
    const clock = new DeviceClock('boot-1', streams, true);
    clock.report({ offset_ms: 1_000_000 });
    expect(clock.judge('old', 5, 700)).toMatchObject({ correctedMs: 5, clockSuspect: false });
    expect(clock.judge('new', 5, 700)).toMatchObject({ correctedMs: 1_000_700 });
  });

  test('nothing is known of a clock that says nothing, and one that is not set is suspect', () => {
    expect(new DeviceClock(undefined, [], undefined).judge('e', 5, 7)).toEqual({
      deviceMs: 5,
      correctedMs: null,
      clockSuspect: false,
    });
    const unset = new DeviceClock('b', [], false);
    expect(unset.judge('e', 5, 7)).toMatchObject({ correctedMs: null, clockSuspect: true });
    unset.report({ synced: true });
    expect(unset.judge('e', 5, 7)).toMatchObject({ correctedMs: 5, clockSuspect: false });
  });

  test('stay within what a Date can hold', () => {
    const clock = new DeviceClock(undefined, [], undefined);
    clock.report({ offset_ms: 1e300 });
    expect(clock.judge('e', -1e300, 0)).toMatchObject({ deviceMs: -8.64e15, correctedMs: 8.64e15 });
  });
});
