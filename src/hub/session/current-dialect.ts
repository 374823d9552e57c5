import type { ServerFrame } from '../../protocol/frames.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { ClientIdentify, ErrorFrame } from '../../protocol/session.ts';
import type { Dialect, Introduction } from './dialect.ts';
import { HubClient } from './hub-client.ts';

/** Codes after which the same client can succeed without being changed. */
const RETRYABLE = new Set([
  'try_later',
  'store_unavailable',
  'identify_timeout',
  'too_many_sessions',
]);

export const currentDialect: Dialect = {
  name: 'current',
  silenceMs: LIMITS.clientSilenceMs,
  pingMs: null,
  isExclusive: true,

  error({ code, message, retryAfterMs, nowMs }, requestId) {
    const frame: ErrorFrame = {
      type: 'error',
      timestamp: nowMs,
      ...(typeof requestId === 'string' && { request_id: requestId }),
      data: {
        code,
        message,
        retryable: RETRYABLE.has(code),
        ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
      },
    };
    return JSON.stringify(frame);
  },

  draining(reconnectAfterMs, deadlineMs, nowMs) {
    const data = { reconnect_after_ms: Math.round(reconnectAfterMs), deadline_ms: deadlineMs };
    const frame: ServerFrame = { type: 'server_draining', timestamp: nowMs, data };
    return JSON.stringify(frame);
  },
};

export function introductionOf(frame: ClientIdentify): Introduction {
  const { client_type: clientType, client_id: clientId, auth, session_token, resume } = frame.data;
  // Only an edge has something to resume.
  const streams = clientType === 'ai_engine' ? (resume?.streams ?? []) : [];
  return {
    dialect: currentDialect,
    requestId: frame.request_id,
    clientType,
    clientId,
    token: auth.token,
    resume: { sessionToken: session_token ?? null, streams },
    converse: (client, channel, hub) => new HubClient(client, frame, channel, hub),
  };
}
