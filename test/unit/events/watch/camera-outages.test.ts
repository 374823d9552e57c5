import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  CameraOutages,
  type CameraPresence,
  type ToldOutage,
} from '../../../../src/events/watch/camera-outages.ts';
import type { CameraEntry } from '../../../../src/events/watch/told-alert.ts';
import { PAYLOADS } from '../../../../src/protocol/payloads.ts';

const WALL_MS = 1_700_000_000_000;
const FAULT = { code: 'CAPTURE_TIMEOUT', message: 'no answer', remedy: 'look at the cable' };
const MINUTE = 60;

type State = CameraPresence['state'];

/** Cameras second by second. */
class Site {
  outages: CameraOutages;
  seconds = 0;
  readonly states: Record<string, State> = {};
  told: string[] = [];
  alerts: ReturnType<CameraOutages['look']> = [];

  constructor(told: readonly ToldOutage[] = [], seconds = 0) {
    this.seconds = seconds;
    this.outages = new CameraOutages({ graceMs: 30_000, severity: 'high' }, told, seconds * 1000);
  }

  pass(seconds: number, change: Record<string, State> = {}): string[] {
    Object.assign(this.states, change);
    this.told = [];
    for (let each = 0; each < seconds; each++) {
      this.seconds++;
      const cameras = Object.entries(this.states).map(([cameraId, state]) => ({
        ...{ cameraId, state, fault: state === 'streaming' ? null : FAULT },
      }));
      const monoMs = this.seconds * 1000;
      for (const alert of this.outages.look(cameras, { monoMs, wallMs: WALL_MS + monoMs })) {
        this.alerts.push(alert);
        const ids = (alert.camera_ids ?? [alert.camera_id]).join('+');
        this.told.push(`${alert.type} ${ids}${alert.data.flapping === true ? ' flapping' : ''}`);
      }
    }
    return this.told;
  }
}

let site: Site;
beforeEach(() => {
  site = new Site();
  site.pass(10, { gate: 'streaming', yard: 'streaming' });
});

const entries = (at: number) => site.alerts[at]?.data.cameras as CameraEntry[];

describe('a camera', () => {
  test('that is away for the grace is offline, and is told of again when it is back', () => {
    expect(site.pass(29, { gate: 'away' })).toEqual([]);
    expect(site.pass(10)).toEqual(['camera_offline gate']);
    expect(site.pass(1000)).toEqual([]);
    expect(site.pass(10, { gate: 'streaming' })).toEqual(['camera_online gate']);
    const [offline, online] = site.alerts;
    expect(offline).toMatchObject({ camera_id: 'gate', severity: 'high' });
    expect(offline?.data.why).toBe('gate has sent no picture for 35 s: no answer');
    expect(entries(0)).toEqual([
      {
        camera_id: 'gate',
        why: 'gate has sent no picture for 35 s: no answer',
        since: WALL_MS + 11_000,
        error_code: FAULT.code,
        error_message: FAULT.message,
        remedy: FAULT.remedy,
      },
    ]);
    expect(online).toMatchObject({ severity: 'low', data: { why: 'gate is back after 17 min' } });
    expect(entries(1)).toMatchObject([{ camera_id: 'gate', offline_s: 1039 }]);
    for (const alert of site.alerts)
      expect(PAYLOADS.alert_triggered.schema.safeParse(alert).success).toBe(true);
  });

  test('that is back before the grace is over is not told of', () => {
    site.pass(28, { gate: 'away' });
    expect(site.pass(100, { gate: 'streaming' })).toEqual([]);
  });

  test('that never came is offline, too', () => {
    expect(site.pass(40, { dock: 'away' })).toEqual(['camera_offline dock']);
  });

  test.each<State>(['unwatched', 'streaming'])('that is %s meanwhile is not offline', (state) => {
    site.pass(33, { gate: 'away' });
    expect(site.pass(100, { gate: state })).toEqual([]);
    expect(site.outages.open).toEqual([]);
  });

  test('that is stopped while it is offline is not told of again', () => {
    expect(site.pass(40, { gate: 'away' })).toEqual(['camera_offline gate']);
    expect(site.pass(10, { gate: 'unwatched' })).toEqual([]);
    expect(site.pass(10, { gate: 'streaming' })).toEqual([]);
  });

  test('that is gone for a blink between two clips does not come and go', () => {
    for (let clip = 0; clip < 60; clip++) {
      expect(site.pass(2, { gate: 'away' })).toEqual([]);
      expect(site.pass(8, { gate: 'streaming' })).toEqual([]);
    }
  });
});

describe('cameras of one switch', () => {
  test('go and come back in one alert each', () => {
    site.pass(2, { gate: 'away' });
    expect(site.pass(50, { yard: 'away' })).toEqual(['camera_offline gate+yard']);
    expect(site.alerts[0]?.data.why).toBe('gate and yard are offline');
    expect(entries(0).map(({ camera_id }) => camera_id)).toEqual(['gate', 'yard']);
    site.pass(3, { gate: 'streaming' });
    expect(site.pass(10, { yard: 'streaming' })).toEqual(['camera_online gate+yard']);
  });

  test('that go minutes apart are told of one by one', () => {
    expect(site.pass(60, { gate: 'away' })).toEqual(['camera_offline gate']);
    expect(site.pass(60, { yard: 'away' })).toEqual(['camera_offline yard']);
  });
});

describe('a camera that comes and goes', () => {
  const flap = (times: number): string[] =>
    Array.from({ length: times }, () => [
      ...site.pass(10, { gate: 'away' }),
      ...site.pass(10, { gate: 'streaming' }),
    ]).flat();

  test('is told of once, and again when it has been steady for ten minutes', () => {
    expect(flap(20)).toEqual(['camera_offline gate flapping']);
    expect(site.alerts[0]?.data).toMatchObject({ flapping: true, changes: 4 });
    expect(site.outages.open).toMatchObject([{ type: 'camera_offline', why: 'comes and goes' }]);
    expect(site.pass(9 * MINUTE)).toEqual([]);
    expect(site.pass(2 * MINUTE)).toEqual(['camera_online gate']);
    expect(site.outages.open).toEqual([]);
  });

  test('and goes for good is offline after ten minutes', () => {
    flap(5);
    expect(site.pass(9 * MINUTE, { gate: 'away' })).toEqual([]);
    expect(site.pass(2 * MINUTE)).toEqual(['camera_offline gate']);
    expect(site.pass(10, { gate: 'streaming' })).toEqual(['camera_online gate']);
  });

  test('three times in ten minutes is told of as it is', () => {
    expect(site.pass(40, { gate: 'away' })).toEqual(['camera_offline gate']);
    expect(site.pass(10, { gate: 'streaming' })).toEqual(['camera_online gate']);
    expect(site.pass(40, { gate: 'away' })).toEqual(['camera_offline gate']);
  });
});

describe('the next run of the daemon', () => {
  test('tells nothing again, and tells when it is over', () => {
    site.pass(40, { gate: 'away' });
    const next = new Site(site.outages.told, 500);
    expect(next.pass(100, { gate: 'away', yard: 'streaming' })).toEqual([]);
    expect(next.pass(10, { gate: 'streaming' })).toEqual(['camera_online gate']);
    expect(next.alerts[0]?.data.why).toBe('gate is back after 10 min');
  });

  test('ends an outage that ended between the runs', () => {
    site.pass(40, { gate: 'away' });
    const next = new Site(site.outages.told, 500);
    expect(next.pass(10, { gate: 'streaming' })).toEqual(['camera_online gate']);
    expect(next.outages.told).toEqual([]);
  });
});

test('whatever cameras do: none is told offline twice, or back without having been offline, or often', () => {
  const step = fc.record({
    gate: fc.constantFrom<State>('streaming', 'away', 'unwatched'),
    yard: fc.constantFrom<State>('streaming', 'away'),
    seconds: fc.integer({ min: 1, max: 90 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const any = new Site();
      for (const { seconds, ...states } of steps) any.pass(seconds, states);
      const ofYard = any.alerts.filter((alert) =>
        (alert.camera_ids ?? [alert.camera_id]).includes('yard'),
      );
      const kinds = ofYard.map(({ type, data }) => (data.flapping ? `${type} flapping` : type));
      expect(kinds[0]).not.toBe('camera_online');
      for (const [index, kind] of kinds.entries()) expect(kind).not.toBe(kinds[index + 1]);
      for (const { timestamp: from } of ofYard)
        expect(
          ofYard.filter(({ timestamp: at }) => at >= from && at < from + 600_000).length,
        ).toBeLessThan(9);
    }),
    { numRuns: 200 },
  );
});
