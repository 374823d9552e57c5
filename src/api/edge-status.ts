import type { CameraFault, CameraState, DecoderChoice, StreamInfo } from '../capture/contract.ts';
import type { Lane } from '../protocol/lanes.ts';
import type { ProviderReport } from '../vision/contract.ts';

/** What the daemon says of itself: the answer of `GET /status` and of `apex-edge status --json`. */
export interface EdgeStatus {
  version: string;
  edge_id: string;
  pid: number;
  /** Unix time in milliseconds. */
  started_at: number;
  uptime_s: number;
  detector: DetectorView;
  cameras: CameraView[];
  queue: QueueView;
  uplink: UplinkView;
  /** Problems of the configuration that did not keep the daemon from starting. */
  config_problems: string[];
}

interface DetectorView {
  state: string;
  model: string;
  /** True for the built-in detector of the generated test scene: nothing that it reports is real. */
  is_test_detector: boolean;
  provider: ProviderReport | null;
  restarts: number;
  pid: number | null;
  rss_mb: number | null;
}

export interface CameraView {
  camera_id: string;
  state: CameraState;
  since_s: number;
  fault: CameraFault | null;
  retry_in_s: number | null;
  reconnects: number;
  fps: number;
  frames_received: number;
  frames_analysed: number;
  frames_dropped: number;
  /** Objects in view, by label. */
  objects: Record<string, number>;
  events_started: number;
  events_ended: number;
  stream: StreamInfo | null;
  decoder: DecoderChoice | null;
}

interface QueueView {
  lanes: { lane: Lane; depth: number; oldest_s: number | null }[];
  /** Messages that wait for the hub's acknowledgement, over all lanes. */
  depth: number;
}

export interface UplinkView {
  state: 'off' | 'disconnected' | 'connecting' | 'connected' | 'authenticated';
  url: string | null;
  since_s: number;
  attempts: number;
  last_ack_s: number | null;
  error: { code: string; message: string; remedy: string } | null;
}
