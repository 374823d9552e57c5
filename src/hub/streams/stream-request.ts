import { createHash } from 'node:crypto';
import type { ClientFrame, ServerFrame } from '../../protocol/frames.ts';
import type { StreamQuality } from '../../protocol/stream-control.ts';
import type { StreamAnswer } from './request-state.ts';

export type RequestKind = 'start' | 'stop' | 'change';

/** What a viewer asks for. `url` may hold a password: it goes to the edge and nowhere else. */
export interface StreamRequest {
  readonly kind: RequestKind;
  readonly cameraId: string;
  readonly url?: string | undefined;
  readonly quality?: StreamQuality | undefined;
  /** The edge that is to watch a camera which no edge has yet. */
  readonly edgeId?: string | undefined;
}

type Of<Type> = Extract<ClientFrame, { type: Type }>;
type RequestFrame = Of<'stream_start_request' | 'stream_stop_request' | 'stream_quality_change'>;
type AnswerFrame = Of<
  | 'stream_start_success'
  | 'stream_start_error'
  | 'stream_stop_success'
  | 'stream_stop_error'
  | 'stream_quality_success'
  | 'stream_quality_error'
>;
type OrderFrame = Extract<
  ServerFrame,
  { type: 'start_stream_processing' | 'stop_stream_processing' | 'change_stream_processing' }
>;

const ASKED: Readonly<Record<RequestFrame['type'], RequestKind>> = {
  stream_start_request: 'start',
  stream_stop_request: 'stop',
  stream_quality_change: 'change',
};

const ANSWERED: Readonly<Record<AnswerFrame['type'], RequestKind>> = {
  stream_start_success: 'start',
  stream_start_error: 'start',
  stream_stop_success: 'stop',
  stream_stop_error: 'stop',
  stream_quality_success: 'change',
  stream_quality_error: 'change',
};

const ORDER_TYPES = {
  start: 'start_stream_processing',
  stop: 'stop_stream_processing',
  change: 'change_stream_processing',
} as const;

const ANSWER_TYPES = {
  start: ['stream_start_success', 'stream_start_error'],
  stop: ['stream_stop_success', 'stream_stop_error'],
  change: ['stream_quality_success', 'stream_quality_error'],
} as const;

export function isRequestFrame(frame: { readonly type: string }): frame is RequestFrame {
  return Object.hasOwn(ASKED, frame.type);
}

export function isAnswerFrame(frame: { readonly type: string }): frame is AnswerFrame {
  return Object.hasOwn(ANSWERED, frame.type);
}

/** The kind of request that an answer of this type is to. */
export function kindAnswered(type: AnswerFrame['type']): RequestKind {
  return ANSWERED[type];
}

export function requestOf(frame: RequestFrame): StreamRequest {
  const { camera_id: cameraId } = frame.data;
  const kind = ASKED[frame.type];
  if (frame.type === 'stream_start_request') {
    const { rtsp_url: url, quality, edge_id: edgeId } = frame.data;
    return { kind, cameraId, url, quality, edgeId };
  }
  return frame.type === 'stream_quality_change'
    ? { kind, cameraId, quality: frame.data.quality }
    : { kind, cameraId };
}

export function answerOf({ data }: AnswerFrame): StreamAnswer {
  if (!('code' in data)) return { isDone: true, quality: data.quality };
  return {
    isDone: false,
    code: data.code,
    message: data.message,
    isRetryable: data.retryable,
  };
}

/** Tells requests apart without keeping what they hold, passwords above all. */
export function contentOf({ kind, cameraId, url, quality, edgeId }: StreamRequest): string {
  const content = JSON.stringify([kind, cameraId, url ?? null, quality ?? null, edgeId ?? null]);
  return createHash('sha256').update(content).digest('base64');
}

/** Type and data of the order that an edge is given. */
export function orderOf({ kind, cameraId, url, quality }: StreamRequest): {
  readonly type: OrderFrame['type'];
  readonly data: Record<string, unknown>;
} {
  const data = {
    camera_id: cameraId,
    ...(kind === 'start' && url !== undefined && { rtsp_url: url }),
    ...(quality !== undefined && { quality }),
  };
  return { type: ORDER_TYPES[kind], data };
}

/** Type and data of the answer that the asker gets. */
export function answerFrameOf(
  { kind, cameraId }: StreamRequest,
  answer: StreamAnswer,
): { readonly type: AnswerFrame['type']; readonly data: Record<string, unknown> } {
  const [success, error] = ANSWER_TYPES[kind];
  if (answer.isDone) {
    const { quality } = answer;
    return { type: success, data: { camera_id: cameraId, ...(quality && { quality }) } };
  }
  const { code, message, isRetryable } = answer;
  return { type: error, data: { camera_id: cameraId, code, message, retryable: isRetryable } };
}
