import { beforeEach, describe, expect, test } from 'vitest';
import type { Lane } from '../../../src/protocol/lanes.ts';
import type { OutgoingMessage } from '../../../src/store/store.ts';
import { type Evidence, Suspects } from '../../../src/uplink/poison/suspects.ts';
import { Trial } from '../../../src/uplink/poison/trial.ts';
import type { BatchInFlight } from '../../../src/uplink/sending/window.ts';
import type { UplinkStore } from '../../../src/uplink/uplink-store.ts';
import { LogLines } from '../../support/log-lines.ts';

const body = {
  type: 'intrusion',
  camera_id: 'gate',
  severity: 'high',
  timestamp: 1000,
  data: { frame: 'broken' },
};
let poisoned: [Lane, number][];
let forwarded: OutgoingMessage[];
let suspects: Suspects;

beforeEach(() => {
  poisoned = [];
  forwarded = [];
  const store: Partial<UplinkStore> = {
    poison: async ({ lane, seq }) => void poisoned.push([lane, seq]),
    enqueue: async (messages) => void forwarded.push(...messages),
  };
  suspects = new Suspects(store as UplinkStore, new LogLines());
});

/** A batch of the numbers behind `afterSeq` up to `through`. */
function batch(lane: Lane, afterSeq: number, through: number, data: object = body): BatchInFlight {
  const only = {
    kind: 'message' as const,
    seq: through,
    messageId: 'm',
    type: lane === 0 ? 'alert_triggered' : 'ai_detection_result',
    schemaVersion: 1,
    wallMs: 1000,
    monoMs: 50,
    cameraId: 'gate',
    body: JSON.stringify(data),
  };
  const isOne = through - afterSeq === 1;
  const sizes = { messages: through - afterSeq, bytes: 100, only: isOne ? only : null };
  return { requestId: 'b', epoch: 'e', lane, afterSeq, through, ...sizes };
}

function crash(inFlight: BatchInFlight[], alone: Evidence | null = null): void {
  suspects.onEnded({ how: 'crash', reason: 'it broke', inFlight, alone });
}

function timeout(inFlight: BatchInFlight[], alone: Evidence | null = null): void {
  suspects.onEnded({ how: 'timeout', reason: 'no answer', inFlight, alone });
}

const at = (lane: Lane, sentThrough: number) => ({ epoch: 'e', lane, sentThrough });
const room = { maxItems: 64, maxBytes: 65_536 };
const companyOf = (lane: Lane, sentThrough: number) =>
  suspects.limits(at(lane, sentThrough), room).maxItems;

describe('suspects', () => {
  test('what is in flight at three ends in a row goes alone from there on', () => {
    for (let n = 0; n < 2; n++) crash([batch(2, 10, 74)]);
    expect(suspects.needsTrial(at(2, 10))).toBe(false);
    crash([batch(2, 10, 20)]);
    expect(suspects.needsTrial(at(2, 10))).toBe(true);
    expect(companyOf(2, 73)).toBe(1);
    expect(companyOf(2, 74)).toBe(64);
    expect(companyOf(1, 10)).toBe(64);
  });

  test('an acknowledgement in between begins the count anew', () => {
    for (let n = 0; n < 20; n++) crash([batch(2, n, n + 64)]);
    expect(suspects.needsTrial(at(2, 20))).toBe(false);
  });

  test('five ends over it alone, on a hub that was well, give it up', () => {
    for (let n = 0; n < 3; n++) crash([batch(0, 0, 3)]);
    for (let n = 0; n < 4; n++) crash([batch(0, 0, 1)], 'batch');
    expect(poisoned).toEqual([]);
    crash([batch(0, 0, 1)], 'batch');
    expect(poisoned).toEqual([[0, 1]]);
    expect(forwarded).toEqual([
      {
        type: 'alert_triggered',
        cameraId: 'gate',
        data: { ...body, data: { original_unreadable: true, reason: 'it broke' } },
        wallMs: 1000,
        monoMs: 50,
      },
    ]);
  });

  test('without evidence it is never given up', () => {
    for (let n = 0; n < 3; n++) crash([batch(0, 0, 1)]);
    for (let n = 0; n < 100; n++) crash([batch(0, 0, 1)], 'none');
    for (let n = 0; n < 100; n++) crash([batch(0, 0, 1)], 'heartbeat');
    for (let n = 0; n < 100; n++) crash([batch(0, 0, 1)]);
    expect(poisoned).toEqual([]);
  });

  test('a hub that answers heartbeats and acknowledges nothing makes no poison', () => {
    for (let n = 0; n < 3; n++) timeout([batch(0, 0, 1)]);
    for (let n = 0; n < 100; n++) timeout([batch(0, 0, 1)], 'heartbeat');
    expect(poisoned).toEqual([]);
    for (let n = 0; n < 5; n++) timeout([batch(0, 0, 1)], 'batch');
    expect(poisoned).toEqual([[0, 1]]);
  });

  test('a hub that restarts makes none either', () => {
    const inFlight = [batch(0, 0, 1)];
    for (let n = 0; n < 100; n++)
      suspects.onEnded({ how: 'passing', reason: 'restart', inFlight, alone: 'batch' });
    expect(suspects.needsTrial(at(0, 0))).toBe(false);
  });

  test('the envelope of an alert is not wrapped once more, and what is no alert has none', () => {
    const envelope = { ...body, data: { original_unreadable: true, reason: 'x' } };
    for (const one of [batch(0, 0, 1, envelope), batch(2, 0, 1)]) {
      for (let n = 0; n < 3; n++) crash([one]);
      for (let n = 0; n < 5; n++) crash([one], 'batch');
    }
    expect(poisoned).toEqual([
      [0, 1],
      [2, 1],
    ]);
    expect(forwarded).toEqual([]);
  });
});

describe('trial', () => {
  const heads = [at(0, 5), at(2, 0)];
  const lanes = (allowed: (lane: Lane) => boolean) => ([0, 1, 2, 3] as const).filter(allowed);

  test('without suspects every lane may send', () => {
    expect(lanes(new Trial(suspects).allowed(heads, 3))).toEqual([0, 1, 2, 3]);
  });

  test('a suspect waits for evidence, then for an empty window, then goes alone', () => {
    for (let n = 0; n < 3; n++) crash([batch(2, 0, 64)]);
    const trial = new Trial(suspects);
    expect(lanes(trial.allowed(heads, 0))).toEqual([0, 1, 3]);
    trial.onAcked();
    expect(lanes(trial.allowed(heads, 1))).toEqual([]);
    expect(lanes(trial.allowed(heads, 0))).toEqual([2]);
    trial.onSend(at(2, 0));
    expect(trial.alone).toBe('batch');
    expect(lanes(trial.allowed(heads, 1))).toEqual([]);
    trial.onAcked();
    expect(trial.alone).toBeNull();
  });

  test('a heartbeat is evidence on a connection that has held for two seconds', () => {
    for (let n = 0; n < 3; n++) crash([batch(0, 5, 6)]);
    const trial = new Trial(suspects);
    expect([1, 2, 3, 4, 5].map(() => trial.onBeat())).toEqual(Array(5).fill(false));
    trial.onHeartbeat();
    expect(trial.onBeat()).toBe(true);
    expect(lanes(trial.allowed(heads, 0))).toEqual([0]);
  });

  test('where connections hold for moments only, every other trial goes at once', () => {
    for (let n = 0; n < 3; n++) crash([batch(0, 5, 6)]);
    crash([]);
    expect(lanes(new Trial(suspects).allowed(heads, 0))).toEqual([0]);
    crash([batch(0, 5, 6)], 'none');
    expect(lanes(new Trial(suspects).allowed(heads, 0))).not.toContain(0);
    expect(poisoned).toEqual([]);
  });
});
