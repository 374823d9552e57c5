import { describe, expect, test } from 'vitest';
import type { QueueView, UplinkView } from '../../../src/api/edge-status.ts';
import { deadLetterTable, queueLines } from '../../../src/api/queue-view.ts';
import { lane, status } from '../../support/edge-status.ts';

function shown({
  queue = {},
  uplink = {},
}: {
  queue?: Partial<QueueView>;
  uplink?: Partial<UplinkView>;
} = {}): string {
  return queueLines({
    ...status,
    queue: { ...status.queue, ...queue },
    uplink: { ...status.uplink, ...uplink },
  }).join('\n');
}

describe('queueLines', () => {
  test('shows each lane by name: what waits, where, since when, what was lost', () => {
    const text = shown({
      queue: {
        depth: 1236,
        lanes: [
          lane({ lane: 0, depth: 2, bytes: 900, oldest_s: 4.4, last_ack_s: null }),
          lane({
            lane: 2,
            depth: 1234,
            bytes: 555_300,
            in_memory: 15,
            oldest_s: 7200,
            last_ack_s: 130,
            evicted: 5000,
            evicted_bytes: 2_200_000,
            gaps: 1,
          }),
        ],
      },
    });
    expect(text).toMatch(
      /LANE +WAITING +ON DISK +IN MEMORY +SIZE +OLDEST +LAST ACK +EVICTED +GAPS/,
    );
    expect(text).toContain('1,236 messages wait for the hub, the oldest for 2 h');
    expect(text).toMatch(/alerts +2 +2 +0 +900 B +4 s +never +0 +0/);
    expect(text).toMatch(/detections +1,234 +1,219 +15 +542 KiB +2 h +2 min ago +5,000 +1/);
    expect(text).toContain(
      'detections: 5,000 messages (2.1 MiB) deleted unsent, because the disk budget was used up',
    );
  });

  test('says how much of the disk is used and left', () => {
    expect(shown()).toContain(
      '12 MiB of 256 MiB used, 10 GiB free on the file system; emergency reserve in place',
    );
    const disk = { ...status.queue.disk, free_bytes: null, ballast: 'spent' as const };
    expect(shown({ queue: { disk } })).toContain('12 MiB of 256 MiB used; emergency reserve spent');
  });

  test('says first that messages are in memory only, why, and what to do', () => {
    const fault = { code: 'STORE_FULL', message: 'no space is left', remedy: 'Free space.' };
    const lines = shown({
      queue: { mode: 'memory', fault, lanes: [lane({ lane: 0, depth: 3, in_memory: 3 })] },
    }).split('\n');
    expect(lines[0]).toBe(
      'THE DISK CANNOT BE WRITTEN: 3 messages in memory, lost if the daemon ends',
    );
    expect(lines[1]).toMatch(/why: +no space is left \[STORE_FULL\]/);
    expect(lines[2]).toContain('what to do: Free space.');
  });

  test('says first that the reserve is spent, and what to do', () => {
    const disk = { ...status.queue.disk, ballast: 'spent' as const };
    const [what, remedy] = shown({ queue: { disk } }).split('\n');
    expect(what).toContain('THE DISK IS FULL: the emergency reserve is spent');
    expect(remedy).toContain('what to do: free space');
  });

  test('says that damaged files were set aside', () => {
    expect(shown({ queue: { damaged_files: 1 } })).toContain(
      '1 damaged database file was set aside',
    );
  });

  test('says how to see dead letters where there are any', () => {
    expect(shown()).toMatch(/dead letters +none/);
    expect(shown({ queue: { dead_letters: 1 } })).toContain(
      '1 message refused and kept; to see them: apex-edge queue --dead-letters',
    );
  });

  test('shows a hub that is well', () => {
    const text = shown({ uplink: { in_flight: 12 } });
    expect(text).toContain(
      'connected to ws://hub/ws for 5 s, last acknowledgement 1 s ago, 12 messages on the way',
    );
    expect(text).toContain("this machine's clock is 12 ms behind the hub's; round trip 3 ms");
    const clock = { offset_ms: -0.4, round_trip_ms: 3.2 };
    expect(shown({ uplink: { clock } })).toContain("clock agrees with the hub's; round trip 3 ms");
    expect(text).not.toContain('why:');
  });

  test('shows why a hub is not reached, what to do, and when it is tried again', () => {
    const text = shown({
      uplink: {
        state: 'disconnected',
        attempts: 6,
        backoff: { next_try_s: 0.42, cap_s: 0.75 },
        error: { code: 'UPLINK_UNREACHABLE', message: 'connection refused', remedy: 'Check it.' },
        clock: null,
      },
    });
    expect(text).toContain(
      'NOT CONNECTED to ws://hub/ws: 6 tries in a row failed, the next in 0.4 s, last acknowledgement 1 s ago',
    );
    expect(text).toMatch(/why: +connection refused \[UPLINK_UNREACHABLE\]/);
    expect(text).toContain('what to do: Check it.');
  });

  test('tells a hub that refuses from one that is not there', () => {
    const breaker = { state: 'open' as const, reason: 'UPLINK_AUTH_FAILED', retry_in_s: 250 };
    const text = shown({ uplink: { state: 'disconnected', breaker } });
    expect(text).toContain('REFUSED by ws://hub/ws [UPLINK_AUTH_FAILED], asked again in 4 min');
  });

  test('says what an acknowledgement of a hub of the original protocol is worth', () => {
    const text = shown({
      uplink: {
        delivery_level: 'process',
        withheld: 1,
        clock: { offset_ms: -7_300_000, round_trip_ms: 1 },
      },
    });
    expect(text).toContain('delivered means received, not on its disk');
    expect(text).toContain('1 message of kinds that this hub does not know, not sent');
    expect(text).toContain("clock is 2 h ahead of the hub's");
  });

  test('names a camera that another edge has too', () => {
    const camera_conflicts = ['gate is a camera of e-2 already; give yours another id', 'another'];
    const text = shown({ uplink: { camera_conflicts } });
    expect(text).toMatch(/not alone: +gate is a camera of e-2 already.*, and 1 more/);
    expect(text).toMatch(/what to do: give the camera another name/);
  });

  test('shows no lanes where there is no hub to queue for', () => {
    const text = shown({ uplink: { state: 'off', url: null } });
    expect(text).toContain('off: no uplink.url is configured, nothing is queued');
    expect(text).not.toContain('LANE');
  });
});

describe('deadLetterTable', () => {
  test('lists when, what and why', () => {
    const letter = {
      lane: 1 as const,
      seq: 77,
      type: 'face_detection_result',
      code: 'schema_invalid',
      reason: 'faces: required',
      at: 1_767_225_600_000,
      bytes: 420,
      excerpt: '{}',
    };
    const [, line] = deadLetterTable([letter]);
    expect(line).toMatch(
      /2026-01-01T00:00:00\.000Z +events +face_detection_result +77 +420 B +faces: required \[schema_invalid\]/,
    );
  });

  test('says so when there are none', () => {
    expect(deadLetterTable([])).toEqual([
      'There are no dead letters: every message was deliverable.',
    ]);
  });
});
