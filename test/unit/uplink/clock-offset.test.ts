import { expect, test } from 'vitest';
import { ClockOffset } from '../../../src/uplink/liveness/clock-offset.ts';

/** A heartbeat that takes so long each way, to a hub whose clock is ahead by 1000. */
function heartbeat(sentMono: number, there: number, back: number, hubMs = 2) {
  const receivedWall = sentMono + there + 1000;
  const answeredWall = receivedWall + hubMs;
  return { sentMono, receivedWall, answeredWall, backMono: sentMono + there + hubMs + back };
}

test('is exact where both ways take the same time', () => {
  const offset = new ClockOffset();
  expect(offset.estimate).toBeNull();
  offset.add(heartbeat(500, 30, 30));
  expect(offset.estimate).toEqual({ offsetMs: 1000, roundTripMs: 60 });
});

test('is the median of the last eight, so that a late answer does not count', () => {
  const offset = new ClockOffset();
  for (let n = 0; n < 20; n++) offset.add(heartbeat(n * 100, 5, n % 4 === 0 ? 900 : 5));
  expect(offset.estimate).toEqual({ offsetMs: 1000, roundTripMs: 10 });
});

test('follows a hub whose clock was set', () => {
  const offset = new ClockOffset();
  offset.add(heartbeat(0, 5, 5));
  for (let n = 1; n <= 8; n++) {
    const times = heartbeat(n * 100, 5, 5);
    offset.add({
      ...times,
      receivedWall: times.receivedWall + 7000,
      answeredWall: times.answeredWall + 7000,
    });
  }
  expect(offset.estimate?.offsetMs).toBe(8000);
});
