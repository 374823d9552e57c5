import type { LegacyIdentify } from '../../protocol/legacy.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { ClientType } from '../../protocol/session.ts';
import type { Dialect, Introduction } from '../session/dialect.ts';
import { LegacyClient } from './legacy-client.ts';
import { legacyFrame } from './legacy-frame.ts';

/** The original protocol, see `protocol/legacy.ts`. Its clients are asked for nothing that it does not have. */
const legacyDialect: Dialect = {
  name: 'legacy',
  silenceMs: LIMITS.legacySilenceMs,
  pingMs: LIMITS.legacyPingMs,
  // Several of its programs may share a token, and with it the name that stands in for a client id.
  isExclusive: false,

  error({ code, message, nowMs }, requestId) {
    return legacyFrame('error', { code, message }, nowMs, requestId);
  },

  draining: () => null,
};

export function legacyIntroductionOf(frame: LegacyIdentify, clientType: ClientType): Introduction {
  return {
    dialect: legacyDialect,
    requestId: frame.request_id,
    clientType,
    clientId: frame.data.client_id ?? null,
    token: frame.data.auth_token,
    resume: null,
    converse: (client, channel, hub) => {
      const hasOwnId = typeof frame.data.client_id === 'string';
      return new LegacyClient(client, { requestId: frame.request_id, hasOwnId }, channel, hub);
    },
  };
}
