import type { StreamAck } from '../protocol/batch.ts';
import { LIMITS } from '../protocol/limits.ts';
import {
  CAPABILITIES,
  type ClientIdentify,
  type ConnectionEstablished,
  type ErrorFrame,
  type IdentificationSuccess,
  PROTOCOL_VERSION,
} from '../protocol/session.ts';
import { CREDIT } from './credit.ts';
import { reconnectAdvice } from './reconnect-advice.ts';

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
        identify_timeout_ms: LIMITS.identifyTimeoutMs,
        heartbeat_ms: LIMITS.heartbeatMs,
      },
    },
  };
}

export interface Welcome {
  readonly sessionToken: string;
  readonly storeId: string;
  readonly streams: readonly StreamAck[];
  readonly nowMs: number;
  /** Clients that would come back together after a restart. */
  readonly connections: number;
}

export function identificationSuccess(
  frame: ClientIdentify,
  { sessionToken, storeId, streams, nowMs, connections }: Welcome,
): IdentificationSuccess {
  return {
    type: 'identification_success',
    timestamp: nowMs,
    ...replyTo(frame),
    data: {
      session_token: sessionToken,
      store_id: storeId,
      server_time: nowMs,
      resume: { streams: [...streams] },
      flow: CREDIT,
      reconnect: reconnectAdvice(connections),
    },
  };
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  readonly nowMs: number;
}

/** Codes after which the same client can succeed without being changed. */
const RETRYABLE = new Set(['try_later', 'store_unavailable', 'identify_timeout']);

export function errorFrame(
  { code, message, retryAfterMs, nowMs }: Refusal,
  frame: RepliedFrame,
): ErrorFrame {
  return {
    type: 'error',
    timestamp: nowMs,
    ...replyTo(frame),
    data: {
      code,
      message,
      retryable: RETRYABLE.has(code),
      ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    },
  };
}
