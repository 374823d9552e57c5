import { fullJitterDelay } from '../protocol/full-jitter.ts';

/**
 * The life of the vision process, as the daemon sees it. `failures` counts the ends since it last ran for long.
 */
export type VisionState =
  | { name: 'stopped' }
  | { name: 'starting'; failures: number }
  | { name: 'running'; failures: number; sinceMs: number }
  | { name: 'backing-off'; failures: number; retryAtMs: number }
  /** Asked to end. */
  | { name: 'stopping' };

export type VisionEvent =
  | { kind: 'start' }
  /** The process has said that its model runs. */
  | { kind: 'ready'; nowMs: number }
  /** The process has ended. */
  | { kind: 'ended'; nowMs: number; random: number }
  /** `retryAtMs` has come. */
  | { kind: 'due' }
  | { kind: 'stop' };

/** `start`: start a process; `stop`: ask the process to end. */
export type VisionAction = 'start' | 'stop' | null;

/** After this long, whatever ended the process before is over. */
const SUSTAINED_MS = 60_000;
const BACKOFF = { baseMs: 1000, capMs: 30_000 };

/**
 * A first failure is answered at once, since being blind costs most; those that follow wait longer and longer.
 * Events that mean nothing in a state leave it as it is.
 */
export function transition(
  state: VisionState,
  event: VisionEvent,
): { next: VisionState; action: VisionAction } {
  const unchanged = { next: state, action: null };
  switch (event.kind) {
    case 'start':
      if (state.name !== 'stopped') return unchanged;
      return { next: { name: 'starting', failures: 0 }, action: 'start' };
    case 'ready':
      if (state.name !== 'starting') return unchanged;
      return {
        next: { name: 'running', failures: state.failures, sinceMs: event.nowMs },
        action: null,
      };
    case 'due':
      if (state.name !== 'backing-off') return unchanged;
      return { next: { name: 'starting', failures: state.failures }, action: 'start' };
    case 'stop':
      return stopped(state);
    case 'ended':
      return ended(state, event);
  }
}

function stopped(state: VisionState): ReturnType<typeof transition> {
  switch (state.name) {
    case 'starting':
    case 'running':
      return { next: { name: 'stopping' }, action: 'stop' };
    case 'backing-off':
      return { next: { name: 'stopped' }, action: null };
    default:
      return { next: state, action: null };
  }
}

function ended(
  state: VisionState,
  { nowMs, random }: VisionEvent & { kind: 'ended' },
): ReturnType<typeof transition> {
  if (state.name === 'stopping') return { next: { name: 'stopped' }, action: null };
  if (state.name !== 'starting' && state.name !== 'running') return { next: state, action: null };
  const isRecovered = state.name === 'running' && nowMs - state.sinceMs >= SUSTAINED_MS;
  const failures = isRecovered ? 1 : state.failures + 1;
  if (failures === 1) return { next: { name: 'starting', failures }, action: 'start' };
  const delayMs = fullJitterDelay({ attempt: failures - 1, ...BACKOFF }, () => random);
  return { next: { name: 'backing-off', failures, retryAtMs: nowMs + delayMs }, action: null };
}
