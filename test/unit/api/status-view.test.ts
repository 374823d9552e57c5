import { describe, expect, test } from 'vitest';
import type { CameraView, EdgeStatus } from '../../../src/api/edge-status.ts';
import { statusLines } from '../../../src/api/status-view.ts';

const camera: CameraView = {
  camera_id: 'gate',
  state: 'streaming',
  since_s: 10,
  fault: null,
  retry_in_s: null,
  reconnects: 0,
  fps: 4.96,
  frames_received: 60,
  frames_analysed: 50,
  frames_dropped: 10,
  objects: { person: 2, car: 1 },
  events_started: 7,
  events_ended: 4,
  stream: null,
  decoder: { decoder: 'software', refused: [] },
};

const status: EdgeStatus = {
  version: '0.1.0',
  edge_id: 'north-yard',
  pid: 1,
  started_at: 0,
  uptime_s: 60,
  detector: {
    state: 'running',
    model: 'yolov8n',
    is_test_detector: false,
    provider: {
      provider: 'cpu',
      inferenceMs: 27.4,
      refused: [{ provider: 'tensorrt', reason: 'no library' }],
      form: 'prepared',
      formReason: null,
    },
    restarts: 0,
    pid: 2,
    rss_mb: 300,
  },
  cameras: [camera],
  queue: { lanes: [{ lane: 0, depth: 3, oldest_s: 12.2 }], depth: 3 },
  uplink: {
    state: 'authenticated',
    url: 'ws://hub/ws',
    since_s: 5,
    attempts: 0,
    last_ack_s: 1,
    error: null,
  },
  config_problems: [],
};

function shown(changes: Partial<EdgeStatus> = {}): string {
  return statusLines({ ...status, ...changes }).join('\n');
}

describe('statusLines', () => {
  test('shows what runs, each camera, the queue and the uplink', () => {
    const text = shown();
    expect(text).toContain('yolov8n on cpu, 27 ms a frame');
    expect(text).toMatch(/gate +streaming +5\.0 +2 person, 1 car +7 +10 +software/);
    expect(text).toContain('3 messages wait for the hub, the oldest for 12 s');
    expect(text).toContain('authenticated to ws://hub/ws for 5 s, last ack 1 s ago');
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

  test('never lets test results pass for real ones', () => {
    const detector = { ...status.detector, model: 'test-detector', is_test_detector: true };
    expect(shown({ detector })).toContain('TEST DETECTOR');
  });

  test('keeps the columns when a name is longer than its column', () => {
    const text = shown({ cameras: [{ ...camera, camera_id: 'x'.repeat(60) }] });
    expect(text).toMatch(/x{17}… streaming/);
  });

  test('says when there is nothing to watch or nobody to tell', () => {
    const uplink = { ...status.uplink, state: 'off' as const, url: null };
    const text = shown({ cameras: [], uplink });
    expect(text).toContain('no cameras are configured');
    expect(text).toContain('events stay here');
  });
});
