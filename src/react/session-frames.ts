import type { ConnectionFault } from './connection-state.ts';

/** Version of the protocol that this client speaks. */
const PROTOCOL_VERSION = 2;

export interface Introduction {
  readonly clientId: string;
  readonly clientType: string;
  readonly token: string;
  readonly sessionToken: string | null;
}

export function clientIdentify({ clientId, clientType, token, sessionToken }: Introduction) {
  const data = {
    client_id: clientId,
    client_type: clientType,
    auth: { token },
    protocol: PROTOCOL_VERSION,
    capabilities: [],
    session_token: sessionToken,
  };
  return { type: 'client_identify', data } as const;
}

/** Why the server of this greeting cannot be talked to; null if it can. */
export function versionFault({ protocol }: Record<string, unknown>): ConnectionFault | null {
  if (isRecord(protocol)) {
    const isSpoken =
      numberOf(protocol.min) <= PROTOCOL_VERSION && numberOf(protocol.max) >= PROTOCOL_VERSION;
    if (isSpoken) return null;
  }
  const message = `the server does not speak version ${PROTOCOL_VERSION} of the protocol`;
  return { code: 'protocol_unsupported', message, retryable: false };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** 0 for what is no number. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
