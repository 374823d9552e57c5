import { describe, expect, test } from 'vitest';
import type { OutboxStream } from '../../../src/store/requests.ts';
import {
  LaneCursor,
  planResume,
  type SendStream,
} from '../../../src/uplink/sending/lane-cursor.ts';

const stream = (
  epoch: string,
  firstSeq: number,
  nextSeq: number,
  isCurrent = true,
): OutboxStream => ({
  epoch,
  lane: 0,
  firstSeq,
  nextSeq,
  isCurrent,
  isSameBoot: true,
});

const ack = (epoch: string, through: number) => ({
  epoch,
  lane: 0 as const,
  acked_through: through,
});

function cursor(mine: OutboxStream[], acks = [] as ReturnType<typeof ack>[], held = false) {
  return new LaneCursor(0, [...planResume(mine, acks).streams], held);
}

describe('planResume', () => {
  const positions = (streams: readonly SendStream[]) =>
    streams.map(({ sentThrough }) => sentThrough);

  test('goes on behind what the hub has', () => {
    const plan = planResume([stream('a', 41, 57)], [ack('a', 48)]);
    expect(positions(plan.streams)).toEqual([48]);
    expect(plan.rolledBack).toEqual([]);
  });

  test('begins at the first number of a stream that the hub does not know', () => {
    expect(positions(planResume([stream('a', 41, 57)], []).streams)).toEqual([40]);
    expect(positions(planResume([stream('a', 41, 57)], [ack('b', 48)]).streams)).toEqual([40]);
  });

  test('tells where the hub has more than was given out', () => {
    const plan = planResume([stream('a', 41, 57)], [ack('a', 57)]);
    expect(plan.rolledBack).toMatchObject([{ epoch: 'a' }]);
    expect(positions(plan.streams)).toEqual([56]);
  });

  test('a hub with less than ever before is believed', () => {
    expect(positions(planResume([stream('a', 41, 57)], [ack('a', 3)]).streams)).toEqual([40]);
  });
});

describe('LaneCursor', () => {
  test('sends and takes acknowledgements', () => {
    const lane = cursor([stream('a', 1, 4)]);
    expect([lane.available, lane.pending]).toEqual([3, 3]);
    lane.onSent(2, 0);
    expect([lane.available, lane.pending]).toEqual([1, 3]);
    expect(lane.onAck(ack('a', 2), 0)).toEqual({ kind: 'progress' });
    expect([lane.available, lane.pending]).toEqual([1, 1]);
  });

  test('old, repeated and foreign acknowledgements are stale; those of the unsent impossible', () => {
    const lane = cursor([stream('a', 1, 4)]);
    lane.onSent(2, 0);
    lane.onAck(ack('a', 2), 0);
    expect(lane.onAck(ack('a', 2), 0).kind).toBe('stale');
    expect(lane.onAck(ack('a', 1), 0).kind).toBe('stale');
    expect(lane.onAck(ack('b', 9), 0).kind).toBe('stale');
    expect(lane.onAck(ack('a', 3), 0).kind).toBe('impossible');
  });

  test('a newer epoch begins once the older one is acknowledged to its end', () => {
    const lane = cursor([stream('a', 1, 3, false), stream('b', 3, 5)]);
    lane.onSent(2, 0);
    expect([lane.available, lane.head?.epoch, lane.isAtCurrent]).toEqual([0, 'a', false]);
    lane.onAck(ack('a', 2), 0);
    expect([lane.available, lane.head?.epoch, lane.isAtCurrent]).toEqual([2, 'b', true]);
  });

  test('an older epoch that the hub has is passed over', () => {
    const lane = cursor([stream('a', 1, 3, false), stream('b', 3, 5)], [ack('a', 2)]);
    expect(lane.head?.epoch).toBe('b');
  });

  test('the current epoch waits while older ones are not listed', () => {
    expect(cursor([stream('b', 3, 5)], [], true)).toMatchObject({ available: 0, pending: 2 });
  });

  test('new messages count, and the time since when they wait', () => {
    const lane = cursor([stream('a', 1, 1)]);
    expect(lane.waitingSinceMs).toBeNull();
    lane.onCommitted(2, 10);
    lane.onCommitted(3, 20);
    expect([lane.available, lane.waitingSinceMs]).toEqual([2, 10]);
    lane.onSent(1, 30);
    expect(lane.waitingSinceMs).toBe(10);
    lane.onSent(2, 40);
    expect(lane.waitingSinceMs).toBeNull();
  });

  test('goes back to where the hub says, within what was sent', () => {
    const lane = cursor([stream('a', 1, 9)]);
    lane.onSent(6, 0);
    lane.onAck(ack('a', 4), 0);
    expect(lane.rewind('a', 3, 0)).toBe(true);
    expect([lane.available, lane.pending]).toEqual([6, 6]);
    expect(lane.rewind('a', 8, 0)).toBe(false);
    expect(lane.rewind('b', 1, 0)).toBe(false);
  });
});
