import { CLOSE_CODES } from '../protocol/close-codes.ts';
import {
  afterProgress,
  type Backoff,
  type Ending,
  INITIAL_BACKOFF,
  reconnectDelay,
} from '../protocol/reconnection.ts';

/** Why there is no connection, or why a request failed. `code` is one of the protocol's or of this client's (docs/react.md). */
export interface ConnectionFault {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** What a component shows. `error`: see the fault; the client comes back slowly or not at all. */
export type ConnectionStatus =
  | 'disconnected'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'error';

type Phase =
  /** No connection is wanted. */
  | { readonly name: 'idle' }
  /** The socket opens; the server's greeting is awaited. */
  | { readonly name: 'opening' }
  | { readonly name: 'identifying' }
  | { readonly name: 'connected' }
  | { readonly name: 'waiting'; readonly delayMs: number; readonly canBeHurried: boolean }
  /** The page is hidden away (back/forward cache); a connection would be cut there. */
  | { readonly name: 'suspended' }
  /** Given up; only `connect` begins anew. */
  | { readonly name: 'failed' };

export interface Settings {
  readonly autoReconnect: boolean;
  readonly maxReconnectAttempts: number;
}

export interface ConnectionState {
  readonly phase: Phase;
  readonly backoff: Backoff;
  readonly settings: Settings;
  /** Said by the server on this connection: when to come back. */
  readonly toldMs: number | null;
  /** Said by the server on this connection: why it will not have this client. */
  readonly refusal: {
    readonly fault: ConnectionFault;
    readonly retryAfterMs: number | null;
  } | null;
  /** The last thing that went wrong; null once connected. */
  readonly fault: ConnectionFault | null;
}

export type ConnectionEvent =
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  | { readonly type: 'suspend' }
  | { readonly type: 'resume' }
  | { readonly type: 'greeted' }
  | { readonly type: 'admitted'; readonly capMs: number }
  /** The server answered something after the admission: the link carries both ways. */
  | { readonly type: 'progress' }
  | {
      readonly type: 'refused';
      readonly fault: ConnectionFault;
      readonly retryAfterMs: number | null;
    }
  | { readonly type: 'draining'; readonly reconnectAfterMs: number }
  /** The socket is gone, or was given up as dead. */
  | { readonly type: 'lost'; readonly closeCode: number; readonly fault: ConnectionFault }
  /** The wait is over. */
  | { readonly type: 'due' }
  /** The network came back or the page is looked at again. */
  | { readonly type: 'hurry' };

export interface At {
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** After a refusal: often enough for a wall display to come back by itself once its token is listed, and no hammering. */
const REFUSED_WAIT_MS = 60_000;
/** Until the server has said its own. */
const UNADVISED_CAP_MS = 5_000;

export function initialState(settings: Settings & { reconnectDelay: number }): ConnectionState {
  return {
    phase: { name: 'idle' },
    backoff: { ...INITIAL_BACKOFF, baseMs: settings.reconnectDelay, capMs: UNADVISED_CAP_MS },
    settings,
    toldMs: null,
    refusal: null,
    fault: null,
  };
}

/** Phases in which an event means something; in the others it changes nothing. */
const HEARD_IN: Readonly<Record<ConnectionEvent['type'], readonly Phase['name'][]>> = {
  connect: ['idle', 'waiting', 'suspended', 'failed'],
  disconnect: ['opening', 'identifying', 'connected', 'waiting', 'suspended', 'failed'],
  suspend: ['opening', 'identifying', 'connected', 'waiting'],
  resume: ['suspended'],
  greeted: ['opening'],
  admitted: ['identifying'],
  progress: ['connected'],
  refused: ['opening', 'identifying', 'connected'],
  draining: ['opening', 'identifying', 'connected'],
  lost: ['opening', 'identifying', 'connected'],
  due: ['waiting'],
  hurry: ['waiting'],
};

export function transition(
  state: ConnectionState,
  event: ConnectionEvent,
  at: At,
): ConnectionState {
  const { phase } = state;
  if (!HEARD_IN[event.type].includes(phase.name)) return state;
  switch (event.type) {
    case 'connect':
      return opened(restarted(state));
    case 'disconnect':
      return { ...restarted(state), phase: { name: 'idle' }, fault: null };
    case 'suspend':
      return { ...state, phase: { name: 'suspended' } };
    case 'resume':
    case 'due':
      return opened(state);
    case 'hurry':
      return phase.name === 'waiting' && phase.canBeHurried ? opened(state) : state;
    case 'greeted':
      return { ...state, phase: { name: 'identifying' } };
    case 'admitted':
      return admitted(state, event.capMs);
    case 'progress':
      return { ...state, backoff: afterProgress(state.backoff) };
    case 'refused':
      return { ...state, refusal: event };
    case 'draining':
      return { ...state, toldMs: event.reconnectAfterMs };
    case 'lost':
      return lost(state, event, at);
  }
}

/** Whether there is a socket in this state. */
export function isActive({ phase: { name } }: ConnectionState): boolean {
  return name === 'opening' || name === 'identifying' || name === 'connected';
}

export function statusOf({ phase, backoff, refusal }: ConnectionState): ConnectionStatus {
  switch (phase.name) {
    case 'idle':
    case 'suspended':
      return 'disconnected';
    case 'connected':
      return 'connected';
    case 'failed':
      return 'error';
    case 'waiting':
      return refusal === null || refusal.fault.retryable ? 'reconnecting' : 'error';
    case 'opening':
    case 'identifying':
      return backoff.downSinceMs === null ? 'connecting' : 'reconnecting';
  }
}

function restarted(state: ConnectionState): ConnectionState {
  return { ...state, backoff: afterProgress(state.backoff), toldMs: null, refusal: null };
}

function opened(state: ConnectionState): ConnectionState {
  return { ...state, phase: { name: 'opening' }, toldMs: null, refusal: null };
}

function admitted(state: ConnectionState, capMs: number): ConnectionState {
  const backoff = { ...state.backoff, capMs };
  return { ...state, phase: { name: 'connected' }, backoff, fault: null };
}

function lost(
  state: ConnectionState,
  { closeCode, fault }: Extract<ConnectionEvent, { type: 'lost' }>,
  at: At,
): ConnectionState {
  const { settings, refusal } = state;
  const cause = refusal?.fault ?? fault;
  const failed: ConnectionState = { ...state, phase: { name: 'failed' }, fault: cause };
  // Two clients of one id that both came back would throw each other out for ever.
  if (closeCode === CLOSE_CODES.superseded) return failed;
  if (!settings.autoReconnect)
    return refusal === null ? { ...failed, phase: { name: 'idle' } } : failed;
  const ending = endingOf(state);
  if (ending.kind === 'lost' && state.backoff.attempts >= settings.maxReconnectAttempts)
    return failed;
  const { delayMs, backoff } = reconnectDelay(state.backoff, ending, at);
  const phase: Phase = { name: 'waiting', delayMs, canBeHurried: ending.kind === 'lost' };
  return { ...state, phase, backoff, fault: cause };
}

function endingOf({ refusal, toldMs }: ConnectionState): Ending {
  if (refusal !== null) {
    const floorMs = refusal.fault.retryable ? 0 : REFUSED_WAIT_MS;
    return { kind: 'refused', retryAfterMs: Math.max(floorMs, refusal.retryAfterMs ?? 0) };
  }
  return toldMs === null ? { kind: 'lost' } : { kind: 'told', delayMs: toldMs };
}
