import type { StreamQuality } from '../../protocol/stream-control.ts';

/** What a stream request came to. */
export type StreamAnswer = StreamSuccess | StreamFailure;

interface StreamSuccess {
  readonly isDone: true;
  /** What the camera is really analysed with, as far as the edge said it. */
  readonly quality?: StreamQuality | undefined;
}

export interface StreamFailure {
  readonly isDone: false;
  readonly code: string;
  readonly message: string;
  readonly isRetryable: boolean;
}

/**
 * One stream request, named by its asker and its request id. `content` tells whether another one under the same name
 * asks for the same.
 */
export type RequestState =
  /** Nothing is known of it. */
  | { readonly name: 'unknown' }
  /** An edge has the order. */
  | { readonly name: 'ordered'; readonly content: string }
  | { readonly name: 'answered'; readonly content: string; readonly answer: StreamAnswer };

export type RequestEvent =
  /** `obstacle`: why no edge can be given the order now. */
  | { readonly name: 'asked'; readonly content: string; readonly obstacle: StreamFailure | null }
  /** By the edge, or by the hub because the edge is gone or silent. */
  | { readonly name: 'answered'; readonly answer: StreamAnswer };

export type RequestEffect =
  | { readonly do: 'nothing' }
  /** The edge is given the order, and whoever asked waits. */
  | { readonly do: 'order' }
  /** Whoever asked waits too, for the answer to the same order. */
  | { readonly do: 'wait' }
  /** Only whoever asked just now is answered. */
  | { readonly do: 'answer'; readonly answer: StreamAnswer }
  /** All who wait are answered, and the answer is kept. */
  | { readonly do: 'answer_all'; readonly answer: StreamAnswer };

export const UNKNOWN_REQUEST: RequestState = { name: 'unknown' };

const CONFLICT: StreamFailure = {
  isDone: false,
  code: 'request_conflict',
  message: 'another request was made under this request_id; take a new one',
  isRetryable: false,
};

/** What an event makes of a request. The first answer is the answer; what comes later changes nothing. */
export function requestStep(
  state: RequestState,
  event: RequestEvent,
): { readonly state: RequestState; readonly effect: RequestEffect } {
  if (event.name === 'asked') return asked(state, event);
  if (state.name !== 'ordered') return { state, effect: { do: 'nothing' } };
  const { answer } = event;
  const { content } = state;
  return { state: { name: 'answered', content, answer }, effect: { do: 'answer_all', answer } };
}

function asked(
  state: RequestState,
  { content, obstacle }: Extract<RequestEvent, { name: 'asked' }>,
): { readonly state: RequestState; readonly effect: RequestEffect } {
  if (state.name === 'unknown') {
    // Nothing was done, so nothing is remembered: the same may be asked again.
    if (obstacle !== null) return { state, effect: { do: 'answer', answer: obstacle } };
    return { state: { name: 'ordered', content }, effect: { do: 'order' } };
  }
  if (state.content !== content) return { state, effect: { do: 'answer', answer: CONFLICT } };
  if (state.name === 'ordered') return { state, effect: { do: 'wait' } };
  return { state, effect: { do: 'answer', answer: state.answer } };
}
