import type { Clock } from '../../system/clock.ts';
import type { StreamPeerOptions } from './stream-peer.ts';
import { answerFrameOf, orderOf } from './stream-request.ts';

/** Stream requests in frames of the current protocol. */
export function currentWording(clock: Clock): StreamPeerOptions['wording'] {
  return {
    order(orderId, request) {
      const { type, data } = orderOf(request);
      return JSON.stringify({ type, timestamp: clock.wallMs(), request_id: orderId, data });
    },
    answer(request, answer, requestId) {
      const { type, data } = answerFrameOf(request, answer);
      return JSON.stringify({ type, timestamp: clock.wallMs(), request_id: requestId, data });
    },
  };
}
