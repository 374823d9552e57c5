import { describe, expect, test } from 'vitest';
import type { EdgeStatus } from '../../../src/api/edge-status.ts';
import { statusLines } from '../../../src/api/status-view.ts';
import { camera, lane, status } from '../../support/edge-status.ts';

function shown(changes: Partial<EdgeStatus> = {}): string {
  return statusLines({ ...status, ...changes }).join('\n');
}

describe('statusLines', () => {
  test('shows what runs, each camera, the queue and the uplink', () => {
    const lanes = [lane({ lane: 0, depth: 3, oldest_s: 12.2 })];
    const text = shown({ queue: { ...status.queue, depth: 3, lanes } });
    expect(text).toContain('yolov8n on cpu, 27 ms a frame');
    expect(text).toMatch(/gate +streaming +5\.0 +2 person, 1 car +7 +3 +10 +software/);
    expect(text).toContain('3 messages wait for the hub, the oldest for 12 s');
    expect(text).toContain('connected to ws://hub/ws for 5 s, last acknowledgement 1 s ago');
  });

  test('tells what is in zones and has crossed lines', () => {
    const places = { zones: { yard: 2 }, lines: { gate: { left: 3, right: 1 } } };
    const text = shown({ cameras: [{ ...camera, ...places }] });
    expect(text).toContain('gate: 2 in yard; gate crossed 3 times to the left, 1 to the right');
    expect(shown()).not.toContain('crossed');
  });

  test('says why a better provider does not run', () => {
    expect(shown()).toContain('tensorrt was refused: no library');
  });

  test('shows the fault of a camera, when it is tried again, and what to do', () => {
    const fault = { code: 'CAPTURE_AUTH_FAILED', message: 'wrong password', remedy: 'Set it.' };
    const text = shown({
      cameras: [{ ...camera, state: 'backing-off', fault, retry_in_s: 29.2 }],
    });
    expect(text).toContain('gate: wrong password [CAPTURE_AUTH_FAILED]; next try in 30 s');
    expect(text).toContain('what to do: Set it.');
  });

  test('tells what reads faces, and why they are not read', () => {
    const faces = { detector: 'yunet', embedding: 'face-embedding', provider: 'cpu' as const };
    const counted = { ...camera, faces: { decided: 12, named: 7 } };
    expect(shown({ faces: { ...faces, people: 3, fault: null }, cameras: [counted] })).toContain(
      'faces     yunet on cpu, 3 people known; 12 faces told, 7 by name',
    );
    const fault = { code: 'MODEL_NOT_INSTALLED', message: 'yunet is missing', remedy: 'Pull it.' };
    const text = shown({ faces: { ...faces, provider: null, people: null, fault } });
    expect(text).toContain('not read: yunet is missing (MODEL_NOT_INSTALLED)\n          Pull it.');
    expect(shown()).not.toContain('faces');
  });

  test('tells which alerts have no clip, and what was deleted too early', () => {
    const cameras = [{ ...camera, clips: { made: 4, missed: 2 } }];
    const evidence = { clip: { bytes: 5e8, evicted: 9, evicted_undelivered: 3 } };
    const text = shown({ cameras, evidence });
    expect(text).toContain('gate: 2 alerts have no clip');
    expect(text).toContain('3 clip files were deleted before the hub had their events');
    expect(shown()).not.toContain('clip');
  });

  test('tells what evidence went to the hub, and what did not and why', () => {
    const evidence_upstream = {
      ...{ bytes_today: 12_300_000, daily_bytes: 200e6, requests_sent: 3 },
      ...{ thumbnails_sent: 40, thumbnails_withheld: 2 },
      requests_refused: { EVIDENCE_UNKNOWN: 4 },
    };
    const text = shown({ evidence_upstream });
    expect(text).toContain('40 thumbnails and 3 requested files sent to the hub; 12.3 of 200.0 MB');
    expect(text).toContain('2 thumbnails were not sent');
    expect(text).toContain('4 requests were not served [EVIDENCE_UNKNOWN]');
    expect(shown()).not.toContain('sent to the hub');
  });

  test('tells what can be looked back at, and what cannot', () => {
    const journal = { ...status.journal, events: 1200, alerts: 30, open_alerts: 4, lost_events: 7 };
    const fault = { code: 'JOURNAL_FULL', message: 'no room', remedy: 'Free space.' };
    const text = shown({ journal: { ...journal, fault, waiting: 9 } });
    expect(text).toContain('journal   1,200 events, 30 alerts (4 not acknowledged)');
    expect(text).toContain('NOT WRITTEN, 9 wait in memory: no room [JOURNAL_FULL]');
    expect(text).toContain('7 were lost before they could be written');
  });

  test('never lets test results pass for real ones', () => {
    const detector = { ...status.detector, model: 'test-detector', is_test_detector: true };
    expect(shown({ detector })).toContain('TEST DETECTOR');
  });

  test('keeps the columns when a name is longer than its column', () => {
    const text = shown({ cameras: [{ ...camera, camera_id: 'x'.repeat(60) }] });
    expect(text).toMatch(/x{17}… streaming/);
  });

  test('names what was lost or refused, and the command that tells more', () => {
    const lanes = [lane({ lane: 2, evicted: 12_345 })];
    const text = shown({ queue: { ...status.queue, lanes, dead_letters: 2 } });
    expect(text).toContain('12,345 deleted unsent, 2 dead letters (more: apex-edge queue)');
    expect(shown()).not.toContain('apex-edge queue');
  });

  test('says above all that the disk does not take anything', () => {
    const fault = { code: 'STORE_FULL', message: 'no space is left', remedy: 'Free space.' };
    const [first] = statusLines({ ...status, queue: { ...status.queue, mode: 'memory', fault } });
    expect(first).toContain('THE DISK CANNOT BE WRITTEN');
  });

  test('says when there is nothing to watch or nobody to tell', () => {
    const uplink = { ...status.uplink, state: 'off' as const, url: null };
    const text = shown({ cameras: [], uplink });
    expect(text).toContain('no cameras are configured');
    expect(text).toContain('events stay here');
  });
});
