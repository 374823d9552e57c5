import { z } from 'zod';
import { parseClientFrame } from '../../protocol/codec.ts';
import type { LegacyClientFrame } from '../../protocol/legacy.ts';
import type { Clock } from '../../system/clock.ts';
import type { EdgeAnswer } from '../streams/stream-desk.ts';
import type { StreamPeerOptions } from '../streams/stream-peer.ts';
import {
  answerFrameOf,
  isAnswerFrame,
  isRequestFrame,
  kindAnswered,
  orderOf,
  requestOf,
  type StreamRequest,
} from '../streams/stream-request.ts';
import { legacyFrame } from './legacy-frame.ts';

/** Stream requests in frames of the original protocol. */
export function legacyWording(clock: Clock): StreamPeerOptions['wording'] {
  return {
    order(orderId, request) {
      const { type, data } = orderOf(request);
      return legacyFrame(type, data, clock.wallMs(), orderId);
    },
    answer(request, answer, requestId) {
      const { type, data } = answerFrameOf(request, answer);
      return legacyFrame(type, data, clock.wallMs(), requestId);
    },
    evidence: null,
  };
}

export function isLegacyRequest({ type }: LegacyClientFrame): boolean {
  return isRequestFrame({ type });
}

/** What a viewer asks for; a text says what is wrong with it. */
export function legacyRequestOf({ type, data }: LegacyClientFrame): StreamRequest | string {
  const given = Object.entries(data ?? {}).filter(([, value]) => value !== null);
  // The fields are those of the current protocol, as far as they are there, and so are their rules.
  const frame = { type, timestamp: 0, request_id: '', data: Object.fromEntries(given) };
  const result = parseClientFrame(JSON.stringify(frame));
  if (!result.ok) return result.message;
  return isRequestFrame(result.frame) ? requestOf(result.frame) : `${type} is no request`;
}

const errorDataSchema = z
  .object({
    code: z.union([z.string(), z.number()]).nullish(),
    error_code: z.union([z.string(), z.number()]).nullish(),
    message: z.string().nullish(),
    error: z.string().nullish(),
    retryable: z.boolean().nullish(),
  })
  .catch({});

/** An edge's answer, which may lack everything but its type. */
export function legacyAnswerOf(frame: LegacyClientFrame): EdgeAnswer {
  const { type, data, request_id: id } = frame;
  const orderId = id === undefined || id === null ? null : String(id);
  const cameraId = (data as { readonly camera_id?: unknown } | null)?.camera_id;
  const isSuccess = type.endsWith('_success');
  const { code, error_code: other, message, error, retryable } = errorDataSchema.parse(data ?? {});
  const reason = message ?? error ?? 'the edge gave no reason';
  return {
    orderId,
    // Its programs may have one pair of answers for all requests: the id tells which one is meant.
    kind: orderId === null ? kindOf({ type }) : null,
    cameraId: typeof cameraId === 'string' ? cameraId : null,
    answer: isSuccess
      ? { isDone: true }
      : {
          isDone: false,
          code: String(code ?? other ?? 'edge_error').slice(0, 64),
          message: reason.slice(0, 1024),
          isRetryable: retryable ?? false,
        },
  };
}

function kindOf(frame: { readonly type: string }): EdgeAnswer['kind'] {
  return isAnswerFrame(frame) ? kindAnswered(frame.type) : null;
}
