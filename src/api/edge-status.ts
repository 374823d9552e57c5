import type { CameraFault, CameraState, DecoderChoice, StreamInfo } from '../capture/contract.ts';
import type { Lane } from '../protocol/lanes.ts';
import type { AlertTriggered } from '../protocol/payloads.ts';
import type { ExecutionProvider, ProviderReport } from '../vision/contract.ts';

/** What the daemon says of itself: the answer of `GET /status` and of `apex-edge status --json`. */
export interface EdgeStatus {
  version: string;
  edge_id: string;
  pid: number;
  /** Unix time in milliseconds. */
  started_at: number;
  uptime_s: number;
  detector: DetectorView;
  faces: FacesView | null;
  cameras: CameraView[];
  queue: QueueView;
  uplink: UplinkView;
  /** By class. */
  evidence: Record<string, EvidenceView>;
  evidence_upstream: EvidenceUpstreamView;
  /** What is kept for looking back. */
  journal: JournalView;
  api: ApiView;
  /** What alerts have told of cameras and box, and what is not over. */
  conditions: ConditionView[];
  /** Problems of the configuration that did not keep the daemon from starting. */
  config_problems: string[];
}

/** The local API, with the console. */
export interface ApiView {
  enabled: boolean;
  /** Where it listens; null while it does not. */
  url: string | null;
  /** Whether anybody can log in; null while it does not listen. */
  has_tokens: boolean | null;
  fault: Fault | null;
}

/** What reads faces; null where no camera asks for them. */
export interface FacesView {
  detector: string;
  embedding: string;
  /** Null where they are not read, or not yet. */
  provider: ExecutionProvider | null;
  /** Known people; null before the models run. */
  people: number | null;
  fault: CameraFault | null;
}

/** What is kept of one class of evidence. */
export interface EvidenceView {
  /** Zero until the first file of this run was stored. */
  bytes: number;
  /** Given up for newer ones since the start; of these, before the hub had their events. */
  evicted: number;
  evicted_undelivered: number;
}

/** Evidence on its way to the hub; counts are since the start. */
export interface EvidenceUpstreamView {
  /** On this day (UTC). */
  bytes_today: number;
  daily_bytes: number;
  /** Thumbnails of alerts: sent, and not sent for want of an allowance. */
  thumbnails_sent: number;
  thumbnails_withheld: number;
  /** Sent as the hub asked for it; not sent, by the code of the reason. */
  requests_sent: number;
  requests_refused: Record<string, number>;
}

/** Events and alerts that the box keeps. Counts are null until the file was first opened. */
export interface JournalView {
  events: number | null;
  alerts: number | null;
  /** Alerts that nobody has acknowledged. */
  open_alerts: number | null;
  /** Unix time in milliseconds; null for none. */
  oldest: number | null;
  bytes: number;
  budget_bytes: number;
  /** In memory, to be written. */
  waiting: number;
  /** Deleted for want of room, since the file was made. */
  evicted_events: number;
  evicted_alerts: number;
  /** Given up before they could be written, since the file was made. */
  lost_events: number;
  lost_alerts: number;
  /** Damaged files that were set aside. */
  damaged_files: number;
  /** Why nothing can be written now. */
  fault: Fault | null;
}

/** Something that is not as it should be. */
export interface ConditionView {
  /** Of its alert. */
  type: string;
  severity: AlertTriggered['severity'];
  /** Empty for one of the box itself. */
  camera_ids: readonly string[];
  since_s: number;
  /** In words. */
  why: string;
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
  /** Faces since the start: people whose face was decided, and of these the named; null where that is off. */
  faces: { decided: number; named: number } | null;
  /** Clips of alerts since the start, and alerts that have none; null where none are made. */
  clips: { made: number; missed: number } | null;
  /** Alerts of rules since the start. */
  alerts: number;
  /** How many objects are in each zone. */
  zones: Readonly<Record<string, number>>;
  /** How often each line was crossed to either side since the start. */
  lines: Readonly<Record<string, { readonly left: number; readonly right: number }>>;
  stream: StreamInfo | null;
  decoder: DecoderChoice | null;
  /** What the detector gets: frames a second (null for all) and the picture without padding; null until it is known. */
  analysed: { fps: number | null; width: number; height: number } | null;
  /** How the camera differs from the configuration because of a request from upstream, in words; null where not. */
  change: string | null;
}

interface Fault {
  code: string;
  message: string;
  /** What a person can do about it. */
  remedy: string;
}

/** Messages that wait for the hub's acknowledgement. */
export interface QueueView {
  lanes: LaneView[];
  /** Messages over all lanes. */
  depth: number;
  /** Messages that the hub or this edge found undeliverable; kept, and not sent again. */
  dead_letters: number;
  disk: {
    used_bytes: number;
    budget_bytes: number;
    /** Free on the file system; null where that cannot be read. */
    free_bytes: number | null;
    /** A reserved file that makes room to delete on a full disk; `spent` until there is space for it again. */
    ballast: 'ready' | 'spent';
  };
  /** `memory`: the file cannot be written, and what comes is lost if the process ends. */
  mode: 'disk' | 'memory';
  fault: Fault | null;
  /** Damaged database files that were set aside. */
  damaged_files: number;
}

export interface LaneView {
  lane: Lane;
  depth: number;
  bytes: number;
  /** Of `depth`, those that are not on disk. */
  in_memory: number;
  oldest_s: number | null;
  /** Null until the hub acknowledged something of this lane since the start. */
  last_ack_s: number | null;
  acked_seq: number;
  /** Deleted unsent because the budget was used up, since the file was made. */
  evicted: number;
  evicted_bytes: number;
  /** Declared losses that wait for the hub. */
  gaps: number;
}

export interface UplinkView {
  state: 'off' | 'disconnected' | 'connecting' | 'connected' | 'authenticated';
  url: string | null;
  since_s: number;
  attempts: number;
  /** Connections that the hub accepted since the start. */
  connections: number;
  last_ack_s: number | null;
  /** Messages sent and not acknowledged. */
  in_flight: number;
  /** Open: the hub refuses this edge, which waits long before it asks again. */
  breaker: {
    state: 'closed' | 'open' | 'half_open';
    reason: string | null;
    retry_in_s: number | null;
  };
  backoff: { next_try_s: number | null; cap_s: number };
  /** What an acknowledgement of this hub means: on its disk, or received by its process. */
  delivery_level: 'disk' | 'process' | null;
  /** Messages that a hub of the original protocol does not know. */
  withheld: number;
  /** Cameras that another edge has announced too, in the hub's words. */
  camera_conflicts: readonly string[];
  /** By how much the hub's wall clock is ahead of this machine's. */
  clock: { offset_ms: number; round_trip_ms: number } | null;
  error: Fault | null;
}

/** A message that is not sent again, with why: an entry of `GET /dead-letters`. */
export interface DeadLetterView {
  lane: Lane;
  seq: number;
  /** Of the message; null in letters of an older version. */
  type: string | null;
  code: string;
  reason: string;
  /** Unix time in milliseconds. */
  at: number;
  bytes: number;
  /** First part of the message. */
  excerpt: string;
}
