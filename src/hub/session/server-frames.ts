import type { FlowCredit } from '../../protocol/batch.ts';
import { LIMITS } from '../../protocol/limits.ts';
import {
  CAPABILITIES,
  type ClientIdentify,
  type ConnectionEstablished,
  type IdentificationSuccess,
  PROTOCOL_VERSION,
} from '../../protocol/session.ts';
import { reconnectAdvice } from '../door/reconnect-advice.ts';
import type { Welcome } from './dialect.ts';

/** A frame that is answered; the answer carries its `request_id`. */
export interface RepliedFrame {
  readonly request_id?: string | undefined;
}

export function replyTo({ request_id: id }: RepliedFrame): { request_id?: string } {
  return id === undefined ? {} : { request_id: id };
}

export function connectionEstablished(connectionId: string, nowMs: number): ConnectionEstablished {
  return {
    type: 'connection_established',
    timestamp: nowMs,
    data: {
      connection_id: connectionId,
      server_time: nowMs,
      protocol: { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION },
      capabilities: [...CAPABILITIES],
      limits: {
        max_frame_bytes: LIMITS.maxFrameBytes,
        max_viewer_frame_bytes: LIMITS.viewerFrameBytes,
        identify_timeout_ms: LIMITS.identifyTimeoutMs,
        heartbeat_ms: LIMITS.heartbeatMs,
      },
    },
  };
}

export function identificationSuccess(
  frame: ClientIdentify,
  { identified, storeId, nowMs, connections }: Welcome,
  flow: FlowCredit,
): IdentificationSuccess {
  return {
    type: 'identification_success',
    timestamp: nowMs,
    ...replyTo(frame),
    data: {
      session_token: identified.sessionToken?.text ?? '',
      store_id: storeId,
      server_time: nowMs,
      resume: { streams: [...identified.streams] },
      flow,
      reconnect: reconnectAdvice(connections),
    },
  };
}
