import type { CameraView, EdgeStatus, LaneView } from '../../src/api/edge-status.ts';

/** Statuses to change for a test: everything runs and nothing waits. */

export const camera: CameraView = {
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
  alerts: 3,
  faces: null,
  zones: {},
  lines: {},
  stream: null,
  decoder: { decoder: 'software', refused: [] },
  analysed: { fps: 5, width: 640, height: 360 },
  change: null,
};

export function lane(changes: Partial<LaneView> & Pick<LaneView, 'lane'>): LaneView {
  return {
    depth: 0,
    bytes: 0,
    in_memory: 0,
    oldest_s: null,
    last_ack_s: 2,
    acked_seq: 100,
    evicted: 0,
    evicted_bytes: 0,
    gaps: 0,
    ...changes,
  };
}

export const status: EdgeStatus = {
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
  faces: null,
  cameras: [camera],
  queue: {
    lanes: [lane({ lane: 0 }), lane({ lane: 1 }), lane({ lane: 2 }), lane({ lane: 3 })],
    depth: 0,
    dead_letters: 0,
    disk: {
      used_bytes: 12_582_912,
      budget_bytes: 268_435_456,
      free_bytes: 10_737_418_240,
      ballast: 'ready',
    },
    mode: 'disk',
    fault: null,
    damaged_files: 0,
  },
  uplink: {
    state: 'authenticated',
    url: 'ws://hub/ws',
    since_s: 5,
    attempts: 0,
    connections: 1,
    last_ack_s: 1,
    in_flight: 0,
    breaker: { state: 'closed', reason: null, retry_in_s: null },
    backoff: { next_try_s: null, cap_s: 0.75 },
    delivery_level: 'disk',
    withheld: 0,
    camera_conflicts: [],
    clock: { offset_ms: 12.4, round_trip_ms: 3.2 },
    error: null,
  },
  conditions: [],
  config_problems: [],
};
