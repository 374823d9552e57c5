import type { SendEvidence } from '../../protocol/evidence-request.ts';
import type { Clock } from '../../system/clock.ts';
import type { StreamPeerOptions } from './stream-peer.ts';
import { answerFrameOf, orderOf } from './stream-request.ts';

/** Requests in frames of the current protocol. @param canSendEvidence what the edge says of itself */
export function currentWording(
  clock: Clock,
  canSendEvidence: boolean,
): StreamPeerOptions['wording'] {
  const evidenceOrder: StreamPeerOptions['wording']['evidence'] = (requestId, order) => {
    const { cameraId, kind, id } = order;
    const frame: SendEvidence = {
      ...{ type: 'send_evidence', timestamp: clock.wallMs(), request_id: requestId },
      data: { camera_id: cameraId, kind, id },
    };
    return JSON.stringify(frame);
  };
  return {
    order(orderId, request) {
      const { type, data } = orderOf(request);
      return JSON.stringify({ type, timestamp: clock.wallMs(), request_id: orderId, data });
    },
    answer(request, answer, requestId) {
      const { type, data } = answerFrameOf(request, answer);
      return JSON.stringify({ type, timestamp: clock.wallMs(), request_id: requestId, data });
    },
    evidence: canSendEvidence ? evidenceOrder : null,
  };
}
