import { describe, expect, test } from 'vitest';
import { OpenStays } from '../../../../src/edge/cameras/open-stays.ts';
import type { ObjectEvent } from '../../../../src/protocol/payloads.ts';

const message = (event_id: string, phase: ObjectEvent['phase'], label = 'person') =>
  ({ event_id, phase, label }) as ObjectEvent;

describe('OpenStays', () => {
  test('counts what goes on by the label told last', () => {
    const stays = new OpenStays();
    stays.told(message('a', 'new', 'car'));
    stays.told(message('b', 'new'));
    stays.told(message('a', 'update', 'truck'));
    stays.told(message('c', 'new'));
    expect(stays.byLabel).toEqual({ truck: 1, person: 2 });
    stays.told(message('b', 'end'));
    expect([stays.byLabel, stays.started, stays.ended]).toEqual([{ truck: 1, person: 1 }, 3, 1]);
  });

  test('knows where the picture of an event is, up to its end', () => {
    const stays = new OpenStays();
    expect(stays.told(message('a', 'new'))).toBeNull();
    stays.pictured('a', '/first.jpg');
    expect(stays.told(message('a', 'update'))).toBe('/first.jpg');
    stays.pictured('a', '/better.jpg');
    expect(stays.told(message('a', 'end'))).toBe('/better.jpg');
  });

  test('a picture that comes after the end begins nothing', () => {
    const stays = new OpenStays();
    stays.told(message('a', 'new'));
    stays.told(message('a', 'end'));
    stays.pictured('a', '/late.jpg');
    expect(stays.byLabel).toEqual({});
  });
});
