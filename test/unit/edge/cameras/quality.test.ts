import { describe, expect, test } from 'vitest';
import type { CameraSpec } from '../../../../src/capture/contract.ts';
import { isSameQuality, withQuality } from '../../../../src/edge/cameras/quality.ts';

const configured: CameraSpec = {
  id: 'gate',
  source: { kind: 'rtsp', url: 'rtsp://h/s', transport: 'tcp' },
  fps: 'all',
  minScore: 0.4,
  labels: null,
  decoder: 'auto',
  analysed: null,
  snapshot: null,
  ring: null,
  stallTimeoutMs: 10_000,
  frozenTimeoutMs: 0,
};

describe('withQuality', () => {
  test('names are fixed rates and sizes, and `auto` is the configuration', () => {
    const analysed = { maxWidth: 320, maxHeight: 320 };
    expect(withQuality(configured, 'low')).toEqual({ ...configured, fps: 2, analysed });
    expect(withQuality(configured, 'medium')).toMatchObject({
      fps: 5,
      analysed: { maxWidth: 480, maxHeight: 480 },
    });
    expect(withQuality(configured, 'high')).toMatchObject({ fps: 10, analysed: null });
    expect(withQuality(configured, 'auto')).toBe(configured);
  });

  test('numbers bound what they name and leave the rest to the configuration', () => {
    expect(withQuality(configured, { fps: 8 })).toMatchObject({ fps: 8, analysed: null });
    expect(withQuality(configured, { width: 200 })).toMatchObject({
      fps: 'all',
      analysed: { maxWidth: 200, maxHeight: 8192 },
    });
    expect(withQuality(configured, {})).toEqual(configured);
  });

  test('a frame wanted now and then is not missed after seconds', () => {
    expect(withQuality(configured, { fps: 0.05 }).stallTimeoutMs).toBe(60_000);
    expect(withQuality(configured, { fps: 30 }).stallTimeoutMs).toBe(10_000);
  });

  test('the same quality is known by its numbers', () => {
    expect(isSameQuality(configured, withQuality(configured, 'auto'))).toBe(true);
    expect(isSameQuality(withQuality(configured, 'low'), withQuality(configured, 'low'))).toBe(
      true,
    );
    expect(isSameQuality(configured, withQuality(configured, { fps: 5 }))).toBe(false);
    expect(isSameQuality(configured, withQuality(configured, { width: 64 }))).toBe(false);
  });
});
