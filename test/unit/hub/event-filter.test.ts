import { describe, expect, test } from 'vitest';
import { filterOf, matches } from '../../../src/hub/fan-out/event-filter.ts';

const alert = { type: 'alert_triggered', cameraId: 'gate' };
const status = { type: 'ai_engine_status', cameraId: null };

describe('subscription filter', () => {
  test('a star stands for everything', () => {
    const filter = filterOf({ types: ['*'], cameras: ['*', 'gate'] });
    expect(filter).toEqual({ types: null, cameras: null });
    expect(matches(filter, alert)).toBe(true);
    expect(matches(filter, status)).toBe(true);
  });

  test('types and cameras must both match', () => {
    const filter = filterOf({ types: ['alert_triggered'], cameras: ['gate'] });
    expect(matches(filter, alert)).toBe(true);
    expect(matches(filter, { ...alert, cameraId: 'dock' })).toBe(false);
    expect(matches(filter, { ...alert, type: 'object_event' })).toBe(false);
  });

  test('an event without a camera passes only where all cameras are wanted', () => {
    expect(matches(filterOf({ types: ['*'], cameras: ['gate'] }), status)).toBe(false);
  });
});
