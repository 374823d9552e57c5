import type {
  DeadLetterView,
  EvidenceUpstreamView,
  JournalView,
  LaneView,
  QueueView,
  UplinkView,
} from '../api/edge-status.ts';
import type { DailyAllowance } from '../evidence/upstream/daily-allowance.ts';
import type { JournalStatus } from '../journal/contract.ts';
import type { DeadLetter } from '../store/requests.ts';
import type { LaneQueue, QueueStatus } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { UplinkStatus } from '../uplink/uplink.ts';
import type { EvidenceGiver } from './evidence-giver.ts';
import type { ThumbnailPost } from './thumbnail-post.ts';

/** How the store and the uplink are shown in the status. Pure. */

export function queueView(queue: QueueStatus, nowMono: number): QueueView {
  const { lanes, deadLetters, disk, mode, fault, damagedFiles } = queue;
  return {
    lanes: lanes.map((lane) => laneView(lane, nowMono)),
    depth: lanes.reduce((sum, { depth }) => sum + depth, 0),
    dead_letters: deadLetters,
    disk: {
      used_bytes: disk.used,
      budget_bytes: disk.budget,
      free_bytes: disk.free,
      ballast: disk.ballast,
    },
    mode,
    fault: fault && new ApexError(fault.code, fault.message).toJSON(),
    damaged_files: damagedFiles,
  };
}

function laneView(lane: LaneQueue, nowMono: number): LaneView {
  return {
    lane: lane.lane,
    depth: lane.depth,
    bytes: lane.bytes,
    in_memory: lane.inMemory,
    oldest_s: lane.oldestAgeMs === null ? null : lane.oldestAgeMs / 1000,
    last_ack_s: secondsSince(lane.lastAckMono, nowMono),
    acked_seq: lane.ackedSeq,
    evicted: lane.evictedCount,
    evicted_bytes: lane.evictedBytes,
    gaps: lane.gapCount,
  };
}

export function deadLetterView(letter: DeadLetter): DeadLetterView {
  const { lane, seq, type, code, reason, wallMs, bytes, excerpt } = letter;
  return { lane, seq, type, code, reason, at: wallMs, bytes, excerpt };
}

export function journalView(journal: JournalStatus): JournalView {
  const { stats, fault } = journal;
  return {
    events: stats?.events ?? null,
    alerts: stats?.alerts ?? null,
    open_alerts: stats?.openAlerts ?? null,
    oldest: stats?.oldestMs ?? null,
    bytes: stats?.bytes ?? 0,
    budget_bytes: journal.budgetBytes,
    waiting: journal.waitingEvents + journal.waitingAlerts,
    evicted_events: stats?.evictedEvents ?? 0,
    evicted_alerts: stats?.evictedAlerts ?? 0,
    lost_events: (stats?.lostEvents ?? 0) + journal.undeclaredEvents,
    lost_alerts: (stats?.lostAlerts ?? 0) + journal.undeclaredAlerts,
    damaged_files: stats?.damagedFiles ?? 0,
    fault: fault && new ApexError(fault.code, fault.message).toJSON(),
  };
}

const NO_UPLINK: UplinkView = {
  state: 'off',
  url: null,
  since_s: 0,
  attempts: 0,
  connections: 0,
  last_ack_s: null,
  in_flight: 0,
  breaker: { state: 'closed', reason: null, retry_in_s: null },
  backoff: { next_try_s: null, cap_s: 0 },
  delivery_level: null,
  withheld: 0,
  camera_conflicts: [],
  clock: null,
  error: null,
};

/** @param fault why there is no uplink although one is configured */
export function missingUplinkView(url: string | null, fault: ApexError | null): UplinkView {
  if (fault === null) return { ...NO_UPLINK, url };
  return { ...NO_UPLINK, state: 'disconnected', url, error: fault.toJSON() };
}

/** @param connections that the hub accepted since the start */
export function uplinkView(
  status: UplinkStatus,
  { url, connections, clock }: { url: string | null; connections: number; clock: Clock },
): UplinkView {
  const now = clock.monotonicMs();
  const { breaker, backoff } = status;
  return {
    state: status.state,
    url,
    since_s: (now - status.since) / 1000,
    attempts: status.attempts,
    connections,
    last_ack_s: secondsSince(status.lastAckMono, now),
    in_flight: status.inFlight,
    breaker: {
      state: breaker.state,
      reason: breaker.reason,
      retry_in_s: breaker.retryInMs === null ? null : breaker.retryInMs / 1000,
    },
    backoff: {
      next_try_s: backoff.nextInMs === null ? null : backoff.nextInMs / 1000,
      cap_s: backoff.capMs / 1000,
    },
    delivery_level: status.deliveryLevel,
    withheld: status.withheld,
    camera_conflicts: status.cameraConflicts,
    clock: status.clock && {
      // The uplink measures against the monotonic clock, which people do not see.
      offset_ms: status.clock.offsetMs + now - clock.wallMs(),
      round_trip_ms: status.clock.roundTripMs,
    },
    error: status.lastError?.toJSON() ?? null,
  };
}

function secondsSince(monoMs: number | null, nowMono: number): number | null {
  return monoMs === null ? null : (nowMono - monoMs) / 1000;
}

export function evidenceUpstreamView({
  allowance,
  thumbnailPost,
  evidenceGiver,
}: {
  readonly allowance: DailyAllowance;
  readonly thumbnailPost: ThumbnailPost;
  readonly evidenceGiver: EvidenceGiver;
}): EvidenceUpstreamView {
  const thumbnails = thumbnailPost.counts;
  const requests = evidenceGiver.counts;
  return {
    bytes_today: allowance.taken,
    daily_bytes: allowance.bytesPerDay,
    thumbnails_sent: thumbnails.sent,
    thumbnails_withheld: thumbnails.withheld,
    requests_sent: requests.sent,
    requests_refused: { ...requests.refused },
  };
}
