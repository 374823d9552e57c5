import { fullJitterDelay } from '../protocol/full-jitter.ts';
import type { CameraFault, CaptureHistory } from './contract.ts';
import { captureFault, type RetryPace } from './diagnosis.ts';

/**
 * The life of a camera's stream: pure, without time, network or processes. The owner feeds events in, carries
 * out the action that comes back, and sends `clock` when `deadlineOf` has come.
 *
 *     connecting --frame--> streaming --silence or frozen picture--> stalled
 *         |                     |                                       |
 *         +------ ended --------+--------------- ended -----------------+--> backing-off --clock--> connecting
 *
 * `failed` and `finished` are final.
 */
export type Supervision = Common &
  (
    | { state: 'connecting'; openedAtMs: number | null }
    | ({ state: 'streaming' } & Flow)
    | { state: 'stalled'; streamedMs: number }
    | { state: 'backing-off'; retryAtMs: number }
    | { state: 'failed' | 'finished' }
  );

interface Common {
  /** When the state began. All times are monotonic milliseconds. */
  sinceMs: number;
  fault: CameraFault | null;
  /** Failures since the last sustained stream. */
  failures: number;
  /** Times that the stream was opened again after a failure. */
  reconnects: number;
  /** The picture froze, and the stream has been opened again for it once. */
  wasFrozen: boolean;
}

interface Flow {
  firstFrameMs: number;
  lastFrameMs: number;
  /** When the picture was last another one than before. */
  lastChangeMs: number;
  changes: number;
  /** The receiver asked for a pause, so silence is no fault. */
  paused: boolean;
}

export type SupervisionEvent = { nowMs: number } & (
  | { kind: 'opened' }
  | { kind: 'frame'; changed: boolean }
  | { kind: 'paused' | 'resumed' }
  | { kind: 'clock' }
  /** The stream is gone; `cause` is null when it ended because it was told to. */
  | { kind: 'ended'; cause: { fault: CameraFault; retry: RetryPace } | null; random: number }
  | { kind: 'finished' }
);

/** `connect`: open the stream. `disconnect`: end it; `ended` follows. */
export type SupervisionAction = 'none' | 'connect' | 'disconnect';

export interface SupervisionPolicy {
  /** From the opening of the connection to its first frame. */
  connectTimeoutMs: number;
  stallTimeoutMs: number;
  /** 0 turns the check off. */
  frozenTimeoutMs: number;
}

export interface Step {
  next: Supervision;
  action: SupervisionAction;
}

const NO_HISTORY = { failures: 0, reconnects: 0, retryAtMonoMs: null, fault: null };

/** Frames for this long make earlier failures forgotten. */
const SUSTAINED_MS = 20_000;
const BACKOFF = { baseMs: 500, capMs: 60_000 };
/** A camera that restarts, or whose switch does, is back in a moment: nothing of what it sees then is to be missed. */
const QUICK_ATTEMPTS = 4;
const SLOW_RETRY_MS = 30_000;
const ACCOUNT_RETRY_CAP_MS = 600_000;
/** A reopened stream may differ in its first pictures and still be frozen. */
const CHANGES_THAT_PROVE_LIFE = 10;

/** @param history of the same camera in a process that is gone: a camera that had to wait goes on waiting */
export function beginSupervision(
  nowMs: number,
  history: Omit<CaptureHistory, 'clip'> = NO_HISTORY,
): Step {
  const { failures, reconnects, retryAtMonoMs, fault } = history;
  const begun = { sinceMs: nowMs, failures, reconnects, wasFrozen: false };
  if (retryAtMonoMs !== null && retryAtMonoMs > nowMs) {
    return stay({ ...begun, state: 'backing-off', fault, retryAtMs: retryAtMonoMs });
  }
  return {
    next: { ...begun, state: 'connecting', openedAtMs: null, fault: null },
    action: 'connect',
  };
}

/** The one transition function; an event that means nothing in a state changes nothing. */
export function transition(
  now: Supervision,
  event: SupervisionEvent,
  policy: SupervisionPolicy,
): Step {
  switch (event.kind) {
    case 'opened':
      if (now.state !== 'connecting') return stay(now);
      return stay({ ...now, openedAtMs: event.nowMs });
    case 'frame':
      return onFrame(now, event);
    case 'paused':
      return stay(now.state === 'streaming' ? { ...now, paused: true } : now);
    case 'resumed':
      return onResumed(now, event.nowMs);
    case 'clock':
      return onClock(now, event.nowMs, policy);
    case 'ended':
      return onEnded(now, event);
    case 'finished':
      if (isFinal(now)) return stay(now);
      return stay({ ...common(now), state: 'finished', sinceMs: event.nowMs });
  }
}

/** When `clock` is due; null when only other events matter. */
export function deadlineOf(now: Supervision, policy: SupervisionPolicy): number | null {
  switch (now.state) {
    case 'connecting':
      return now.openedAtMs === null ? null : now.openedAtMs + policy.connectTimeoutMs;
    case 'streaming': {
      if (now.paused) return null;
      const stall = now.lastFrameMs + policy.stallTimeoutMs;
      const frozen = frozenAtMs(now, policy);
      return frozen === null ? stall : Math.min(stall, frozen);
    }
    case 'backing-off':
      return now.retryAtMs;
    default:
      return null;
  }
}

function onFrame(now: Supervision, { nowMs, changed }: { nowMs: number; changed: boolean }): Step {
  if (now.state === 'connecting') {
    return stay({
      ...common(now),
      state: 'streaming',
      sinceMs: nowMs,
      fault: now.wasFrozen ? captureFault('CAPTURE_PICTURE_FROZEN') : null,
      firstFrameMs: nowMs,
      lastFrameMs: nowMs,
      lastChangeMs: nowMs,
      changes: 0,
      paused: false,
    });
  }
  if (now.state !== 'streaming') return stay(now);
  if (!changed) return stay({ ...now, lastFrameMs: nowMs });
  const changes = now.changes + 1;
  const moved = { ...now, lastFrameMs: nowMs, lastChangeMs: nowMs, changes };
  if (!now.wasFrozen || changes < CHANGES_THAT_PROVE_LIFE) return stay(moved);
  return stay({ ...moved, wasFrozen: false, fault: null });
}

function onResumed(now: Supervision, nowMs: number): Step {
  if (now.state !== 'streaming' || !now.paused) return stay(now);
  return stay({ ...now, paused: false, lastFrameMs: nowMs, lastChangeMs: nowMs });
}

function onClock(now: Supervision, nowMs: number, policy: SupervisionPolicy): Step {
  const deadline = deadlineOf(now, policy);
  if (deadline === null || nowMs < deadline) return stay(now);
  if (now.state === 'backing-off') {
    const next = { ...common(now), state: 'connecting', openedAtMs: null, sinceMs: nowMs } as const;
    return { next: { ...next, reconnects: now.reconnects + 1 }, action: 'connect' };
  }
  if (now.state === 'connecting') {
    return stall(now, nowMs, 0, captureFault('CAPTURE_STALLED', 'no first picture'));
  }
  if (now.state !== 'streaming') return stay(now);
  const streamedMs = now.lastFrameMs - now.firstFrameMs;
  if (nowMs >= now.lastFrameMs + policy.stallTimeoutMs) {
    return stall(now, nowMs, streamedMs, captureFault('CAPTURE_STALLED'));
  }
  const frozen = { ...now, wasFrozen: true };
  return stall(frozen, nowMs, streamedMs, captureFault('CAPTURE_PICTURE_FROZEN'));
}

function stall(now: Supervision, nowMs: number, streamedMs: number, fault: CameraFault): Step {
  const next = { ...common(now), state: 'stalled', sinceMs: nowMs, fault, streamedMs } as const;
  return { next, action: 'disconnect' };
}

/** When the picture counts as frozen. Once it has been reported, opening the stream again helps no more. */
function frozenAtMs(
  now: Supervision & { state: 'streaming' },
  { frozenTimeoutMs }: SupervisionPolicy,
): number | null {
  if (frozenTimeoutMs === 0 || now.wasFrozen) return null;
  return now.lastChangeMs + frozenTimeoutMs;
}

function onEnded(now: Supervision, event: SupervisionEvent & { kind: 'ended' }): Step {
  if (isFinal(now) || now.state === 'backing-off') return stay(now);
  const { nowMs, cause } = event;
  // A frozen picture is what people must hear of, whatever ffmpeg said when it was ended.
  const keepsFault = now.state === 'stalled' && (now.wasFrozen || cause === null);
  const fault = keepsFault ? now.fault : (cause?.fault ?? captureFault('CAPTURE_STREAM_ENDED'));
  const retry = keepsFault ? 'soon' : (cause?.retry ?? 'soon');
  if (retry === 'never') return stay({ ...common(now), state: 'failed', sinceMs: nowMs, fault });
  const failures = isSustained(now) ? 0 : now.failures;
  const retryAtMs = nowMs + retryDelay(retry, failures, event.random);
  const next = { ...common(now), state: 'backing-off', sinceMs: nowMs, fault, retryAtMs } as const;
  return stay({ ...next, failures: failures + 1 });
}

function retryDelay(retry: RetryPace, attempt: number, random: number): number {
  if (retry === 'soon') {
    const late = Math.max(0, attempt - QUICK_ATTEMPTS);
    return fullJitterDelay({ attempt: late, ...BACKOFF }, () => random);
  }
  const capMs = retry === 'account' ? ACCOUNT_RETRY_CAP_MS : SLOW_RETRY_MS;
  return SLOW_RETRY_MS + fullJitterDelay({ attempt, baseMs: SLOW_RETRY_MS, capMs }, () => random);
}

/** Whether the stream has run for long enough to count as good. */
export function isSustained(now: Supervision): boolean {
  return streamedMs(now) >= SUSTAINED_MS;
}

function streamedMs(now: Supervision): number {
  if (now.state === 'stalled') return now.streamedMs;
  return now.state === 'streaming' ? now.lastFrameMs - now.firstFrameMs : 0;
}

function isFinal(now: Supervision): boolean {
  return now.state === 'failed' || now.state === 'finished';
}

function common({ sinceMs, fault, failures, reconnects, wasFrozen }: Supervision): Common {
  return { sinceMs, fault, failures, reconnects, wasFrozen };
}

function stay(next: Supervision): Step {
  return { next, action: 'none' };
}
