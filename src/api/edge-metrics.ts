import type { CameraState } from '../capture/contract.ts';
import { type Labels, MetricReadings, type Reading } from '../system/metric-readings.ts';
import type { Histogram, MetricDescription } from '../system/metrics.ts';
import type { ProcessFacts } from '../system/process-watch.ts';
import type { CameraView, EdgeStatus, LaneView, UplinkView } from './edge-status.ts';
import { readKept } from './kept-metrics.ts';
import { laneName } from './queue-view.ts';

interface Snapshot {
  readonly status: EdgeStatus;
  readonly process: ProcessFacts;
}

const PREFIX = 'apex_edge_';

const DAEMON: readonly Reading<Snapshot>[] = [
  {
    name: 'uptime_seconds',
    help: 'Time since the daemon started.',
    of: ({ status }) => status.uptime_s,
  },
  {
    name: 'config_problems',
    help: 'Problems of the configuration that did not keep the daemon from starting.',
    of: ({ status }) => status.config_problems.length,
  },
  {
    name: 'resident_memory_bytes',
    help: 'Memory of the daemon without its detector process.',
    of: ({ process }) => process.rssBytes,
  },
  {
    name: 'cpu_seconds_total',
    help: 'CPU time of the daemon without its detector process.',
    of: ({ process }) => process.cpuSeconds,
  },
  {
    name: 'event_loop_delay_mean_seconds',
    help: 'Mean delay of the event loop since it was last asked for.',
    of: ({ process }) => process.eventLoopDelay.mean,
  },
  {
    name: 'event_loop_delay_p99_seconds',
    help: '99th percentile of the delay of the event loop since it was last asked for.',
    of: ({ process }) => process.eventLoopDelay.p99,
  },
  {
    name: 'event_loop_delay_max_seconds',
    help: 'Longest delay of the event loop since it was last asked for.',
    of: ({ process }) => process.eventLoopDelay.max,
  },
  {
    name: 'detector_running',
    help: '1 while the detector process runs.',
    of: ({ status }) => Number(status.detector.state === 'running'),
  },
  {
    name: 'detector_restarts_total',
    help: 'How often the detector process was started again.',
    of: ({ status }) => status.detector.restarts,
  },
  {
    name: 'detector_resident_memory_bytes',
    help: 'Memory of the detector process.',
    of: ({ status: { detector } }) => (detector.rss_mb === null ? null : detector.rss_mb * 1e6),
  },
];

const QUEUE: readonly Reading<Snapshot>[] = [
  {
    name: 'queue_memory_mode',
    help: '1 while the disk cannot be written and messages are kept in memory only.',
    of: ({ status }) => Number(status.queue.mode === 'memory'),
  },
  {
    name: 'queue_disk_used_bytes',
    help: 'Disk space that the queue uses.',
    of: ({ status }) => status.queue.disk.used_bytes,
  },
  {
    name: 'queue_disk_budget_bytes',
    help: 'Disk space that the queue may use.',
    of: ({ status }) => status.queue.disk.budget_bytes,
  },
  {
    name: 'queue_disk_free_bytes',
    help: 'Free space on the file system of the queue.',
    of: ({ status }) => status.queue.disk.free_bytes,
  },
  {
    name: 'queue_ballast_ready',
    help: '1 while the reserve is in place that makes room on a full disk.',
    of: ({ status }) => Number(status.queue.disk.ballast === 'ready'),
  },
  {
    name: 'queue_dead_letters',
    help: 'Messages that were refused and are kept, not to be sent again.',
    of: ({ status }) => status.queue.dead_letters,
  },
  {
    name: 'queue_damaged_files',
    help: 'Damaged database files that were set aside.',
    of: ({ status }) => status.queue.damaged_files,
  },
];

const LANE: readonly Reading<LaneView>[] = [
  { name: 'queue_messages', help: 'Messages that wait for the hub.', of: ({ depth }) => depth },
  { name: 'queue_bytes', help: 'Size of the messages that wait.', of: (lane) => lane.bytes },
  {
    name: 'queue_memory_messages',
    help: 'Of the messages that wait, those that are not on disk.',
    of: ({ in_memory }) => in_memory,
  },
  {
    name: 'queue_oldest_age_seconds',
    help: 'Age of the oldest message that waits; 0 when none does.',
    of: ({ oldest_s }) => oldest_s ?? 0,
  },
  {
    name: 'queue_last_ack_age_seconds',
    help: 'Time since the last acknowledgement; absent before the first since the start.',
    of: ({ last_ack_s }) => last_ack_s,
  },
  {
    name: 'queue_gaps',
    help: 'Declared losses that wait for the hub.',
    of: ({ gaps }) => gaps,
  },
  {
    name: 'queue_evicted_messages_total',
    help: 'Messages deleted unsent because the disk budget was used up.',
    of: ({ evicted }) => evicted,
  },
  {
    name: 'queue_evicted_bytes_total',
    help: 'Size of the messages deleted unsent.',
    of: ({ evicted_bytes }) => evicted_bytes,
  },
];

const UPLINK: readonly Reading<UplinkView>[] = [
  {
    name: 'uplink_state_seconds',
    help: 'How long the state of the connection holds.',
    of: ({ since_s }) => since_s,
  },
  {
    name: 'uplink_connections_total',
    help: 'Connections that the hub accepted.',
    of: ({ connections }) => connections,
  },
  {
    name: 'uplink_failed_attempts',
    help: 'Connections in a row that came to nothing.',
    of: ({ attempts }) => attempts,
  },
  {
    name: 'uplink_next_try_seconds',
    help: 'Time until the next connection is tried; absent while there is one.',
    of: ({ breaker, backoff }) => breaker.retry_in_s ?? backoff.next_try_s,
  },
  {
    name: 'uplink_in_flight_messages',
    help: 'Messages sent and not acknowledged.',
    of: ({ in_flight }) => in_flight,
  },
  {
    name: 'uplink_withheld_messages',
    help: 'Messages of kinds that the hub does not know.',
    of: ({ withheld }) => withheld,
  },
  {
    name: 'uplink_clock_offset_seconds',
    help: "By how much the hub's clock is ahead of this machine's.",
    of: ({ clock }) => clock && clock.offset_ms / 1000,
  },
  {
    name: 'uplink_round_trip_seconds',
    help: 'Time of a heartbeat to the hub and back.',
    of: ({ clock }) => clock && clock.round_trip_ms / 1000,
  },
];

const CAMERA: readonly Reading<CameraView>[] = [
  {
    name: 'camera_reconnects_total',
    help: 'How often the camera was connected again.',
    of: ({ reconnects }) => reconnects,
  },
  { name: 'camera_frames_per_second', help: 'Frames analysed a second.', of: ({ fps }) => fps },
  {
    name: 'camera_frames_received_total',
    help: 'Frames that the camera delivered.',
    of: ({ frames_received }) => frames_received,
  },
  {
    name: 'camera_frames_analysed_total',
    help: 'Frames that the detector looked at.',
    of: ({ frames_analysed }) => frames_analysed,
  },
  {
    name: 'camera_frames_dropped_total',
    help: 'Frames left out because a newer one was there.',
    of: ({ frames_dropped }) => frames_dropped,
  },
  {
    name: 'camera_events_total',
    help: 'Objects that came into view.',
    of: ({ events_started }) => events_started,
  },
  {
    name: 'camera_alerts_total',
    help: 'Alerts that rules have raised.',
    of: ({ alerts }) => alerts,
  },
  {
    name: 'camera_clips_total',
    help: 'Clips of alerts that were made. Absent where none are.',
    of: ({ clips }) => clips?.made ?? null,
  },
  {
    name: 'camera_clips_missed_total',
    help: 'Alerts that have no clip although one was to be made.',
    of: ({ clips }) => clips?.missed ?? null,
  },
  {
    name: 'camera_faces_total',
    help: 'Faces that were told of. Absent where faces are not read.',
    of: ({ faces }) => faces?.decided ?? null,
  },
  {
    name: 'camera_faces_named_total',
    help: 'Of these, the faces of known people.',
    of: ({ faces }) => faces?.named ?? null,
  },
];

const UPLINK_STATES = ['off', 'disconnected', 'connecting', 'connected', 'authenticated'] as const;
const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
const CAMERA_STATES = [
  'disabled',
  'stopped',
  'connecting',
  'streaming',
  'stalled',
  'backing-off',
  'failed',
  'finished',
] as const satisfies readonly CameraState[];

/** Upper bounds in seconds: from a fast GPU to a box that is far too slow. */
const INFERENCE_BOUNDS = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2];

/**
 * The daemon's metrics. All but the histogram are read from a status at the moment when somebody asks, so that
 * `apex-edge status` and the metrics never tell different things.
 */
export class EdgeMetrics {
  readonly #readings = new MetricReadings<Snapshot>(PREFIX);
  readonly #inference: Histogram;

  constructor() {
    this.#readings.oneOf(
      'info',
      'Always 1; tells which version runs on which edge.',
      ['version', 'edge_id'],
      ({ status }) => [[1, { version: status.version, edge_id: status.edge_id }]],
    );
    const whole = (snapshot: Snapshot): [Snapshot, Labels][] => [[snapshot, {}]];
    this.#readings.read([...DAEMON, ...QUEUE], [], whole);
    this.#readings.read(LANE, ['lane'], ({ status }) =>
      status.queue.lanes.map((lane) => [lane, { lane: laneName(lane.lane) }]),
    );
    this.#readings.read(UPLINK, [], ({ status }) => [[status.uplink, {}]]);
    this.#readings.oneOf(
      'uplink_state',
      'State of the connection to the hub: 1 for the one that holds.',
      ['state'],
      ({ status }) => eachState(UPLINK_STATES, status.uplink.state, {}),
    );
    this.#readings.oneOf(
      'uplink_breaker_state',
      'Open while the hub refuses this edge: 1 for the one that holds.',
      ['state'],
      ({ status }) => eachState(BREAKER_STATES, status.uplink.breaker.state, {}),
    );
    this.#readings.read(CAMERA, ['camera'], ({ status }) =>
      status.cameras.map((camera) => [camera, { camera: camera.camera_id }]),
    );
    this.#readings.oneOf(
      'camera_state',
      'State of the camera: 1 for the one that holds.',
      ['camera', 'state'],
      ({ status }) =>
        status.cameras.flatMap(({ camera_id, state }) =>
          eachState(CAMERA_STATES, state, { camera: camera_id }),
        ),
    );
    readKept(this.#readings, ({ status }) => status);
    this.#inference = this.#readings.registry.histogram(
      {
        name: `${PREFIX}inference_seconds`,
        help: 'Time that the detector took for one frame.',
        labels: ['camera'],
      },
      INFERENCE_BOUNDS,
    );
  }

  frameAnalysed(cameraId: string, inferenceMs: number): void {
    this.#inference.observe(inferenceMs / 1000, { camera: cameraId });
  }

  /** The camera is forgotten, so that cameras that come and go do not add up. */
  cameraForgotten(cameraId: string): void {
    this.#inference.forget({ camera: cameraId });
  }

  /** For the reference in docs/metrics.md. */
  descriptions(): MetricDescription[] {
    return this.#readings.registry.descriptions();
  }

  /** The exposition for this status. */
  render(status: EdgeStatus, process: ProcessFacts): string {
    return this.#readings.render({ status, process });
  }
}

function eachState(
  states: readonly string[],
  now: string,
  labels: Labels,
): (readonly [number, Labels])[] {
  return states.map((state) => [Number(state === now), { ...labels, state }]);
}
