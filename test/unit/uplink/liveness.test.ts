import { describe, expect, test } from 'vitest';
import { Liveness, type Outstanding } from '../../../src/uplink/liveness/liveness.ts';

const idle: Outstanding = { batches: 0, hasAlerts: false, largestBytes: 0 };
const sending: Outstanding = { batches: 1, hasAlerts: false, largestBytes: 1000 };
const alerting: Outstanding = { batches: 1, hasAlerts: true, largestBytes: 1000 };

/** Beats until something else than nothing is to be done; the time and what. */
function next(liveness: Liveness, outstanding: Outstanding, hears = false) {
  for (let ms = 500; ms <= 100_000; ms += 500) {
    if (hears) liveness.onInbound();
    const verdict = liveness.beat(outstanding);
    if (verdict.do === 'heartbeat') liveness.onOutbound();
    if (verdict.do !== 'nothing') return { ms, do: verdict.do };
  }
  return null;
}

describe('liveness', () => {
  test('a heartbeat after 5 s without sending', () => {
    const liveness = new Liveness();
    expect(next(liveness, idle)).toEqual({ ms: 5000, do: 'heartbeat' });
    liveness.onInbound();
    expect(next(liveness, idle)).toEqual({ ms: 5000, do: 'heartbeat' });
  });

  test('a hub that was silent for 12 s is given up', () => {
    const liveness = new Liveness();
    expect(next(liveness, idle)).toMatchObject({ do: 'heartbeat' });
    expect(next(liveness, idle)).toMatchObject({ do: 'heartbeat' });
    expect(next(liveness, idle)).toEqual({ ms: 2500, do: 'give_up' });
  });

  test('a hub that answers but does not acknowledge for 10 s is given up', () => {
    const liveness = new Liveness();
    expect(next(liveness, sending, true)).toMatchObject({ ms: 5000, do: 'heartbeat' });
    expect(next(liveness, sending, true)).toMatchObject({ do: 'heartbeat' });
    expect(next(liveness, sending, true)).toEqual({ ms: 500, do: 'give_up' });
  });

  test('an alert without an acknowledgement is asked after in 3 s and given up in 2 more', () => {
    const liveness = new Liveness();
    expect(next(liveness, alerting)).toEqual({ ms: 3000, do: 'ping' });
    expect(next(liveness, alerting)).toEqual({ ms: 2000, do: 'give_up' });
  });

  test('an answer to the ping gives the alert its time', () => {
    const liveness = new Liveness();
    expect(next(liveness, alerting)).toMatchObject({ do: 'ping' });
    liveness.onInbound();
    expect(next(liveness, alerting, true)).toMatchObject({ ms: 2000, do: 'heartbeat' });
  });

  test('progress starts the time over', () => {
    const liveness = new Liveness();
    for (let beat = 0; beat < 200; beat++) {
      liveness.onInbound();
      liveness.onOutbound();
      if (beat % 15 === 0) liveness.onProgress();
      expect(liveness.beat(sending)).toEqual({ do: 'nothing' });
    }
  });

  test('a large message on a slow link has the time that it takes', () => {
    const liveness = new Liveness();
    const large = { ...sending, largestBytes: 1024 * 1024 };
    const heartbeats = [];
    for (
      let verdict = next(liveness, large);
      verdict?.do === 'heartbeat';
      verdict = next(liveness, large)
    )
      heartbeats.push(verdict);
    expect(heartbeats.length).toBeGreaterThanOrEqual(6);
  });
});
