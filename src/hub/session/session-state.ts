import type { CloseCode } from '../../protocol/close-codes.ts';

/**
 * Life of one connection:
 * connected -> identifying -> identified -> finishing -> closed, and to closed from anywhere.
 */
export type SessionState =
  | { readonly name: 'connected' }
  /** The token was good; where the client's streams go on is being read. */
  | { readonly name: 'identifying' }
  | { readonly name: 'identified' }
  /** Takes no more frames; what it delivered is being committed and acknowledged. */
  | { readonly name: 'finishing'; readonly code: CloseCode }
  | { readonly name: 'closed' };

export type SessionEvent =
  /** Something came from the client. */
  | { readonly name: 'frame' }
  /** Its `client_identify` was good. */
  | { readonly name: 'introduced' }
  | { readonly name: 'streams_read' }
  | { readonly name: 'identify_timeout' }
  /** Superseded, or the hub drains. */
  | { readonly name: 'finish'; readonly code: CloseCode }
  | { readonly name: 'commits_done' }
  /** Cannot go on: turned down, too large a frame, store out of order, reader too slow. */
  | { readonly name: 'fail'; readonly code: CloseCode }
  | { readonly name: 'socket_closed' };

/** What to do about an event, beside changing the state. */
export type SessionEffect =
  | { readonly do: 'nothing' }
  /** Read it as the first frame of a connection. */
  | { readonly do: 'read_first' }
  /** Keep it until the client is welcomed. */
  | { readonly do: 'hold' }
  | { readonly do: 'admit' }
  | { readonly do: 'welcome' }
  | { readonly do: 'handle' }
  | { readonly do: 'await_commits' }
  | { readonly do: 'close'; readonly code: CloseCode };

export interface SessionStep {
  readonly state: SessionState;
  readonly effect: SessionEffect;
}

export function sessionStep(state: SessionState, event: SessionEvent): SessionStep {
  if (event.name === 'socket_closed') return step({ name: 'closed' }, { do: 'nothing' });
  if (state.name === 'closed') return unchanged(state);
  switch (event.name) {
    case 'fail':
      return closing(event.code);
    case 'finish':
      return finishing(state, event.code);
    case 'commits_done':
      return state.name === 'finishing' ? closing(state.code) : unchanged(state);
    case 'identify_timeout':
      return state.name === 'connected' ? closing(4408) : unchanged(state);
    case 'streams_read':
      return state.name === 'identifying'
        ? step({ name: 'identified' }, { do: 'welcome' })
        : unchanged(state);
    case 'introduced':
      return state.name === 'connected'
        ? step({ name: 'identifying' }, { do: 'admit' })
        : unchanged(state);
    default:
      return step(state, ON_FRAME[state.name]);
  }
}

const ON_FRAME: Record<Exclude<SessionState['name'], 'closed'>, SessionEffect> = {
  connected: { do: 'read_first' },
  identifying: { do: 'hold' },
  identified: { do: 'handle' },
  finishing: { do: 'nothing' },
};

function finishing(state: SessionState, code: CloseCode): SessionStep {
  if (state.name === 'connected') return closing(code);
  if (state.name === 'finishing') return unchanged(state);
  return step({ name: 'finishing', code }, { do: 'await_commits' });
}

function closing(code: CloseCode): SessionStep {
  return step({ name: 'closed' }, { do: 'close', code });
}

function unchanged(state: SessionState): SessionStep {
  return step(state, { do: 'nothing' });
}

function step(state: SessionState, effect: SessionEffect): SessionStep {
  return { state, effect };
}
