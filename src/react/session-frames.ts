import type { ConnectionFault } from './connection-state.ts';
import type { RawMessage } from './handlers.ts';

/** Version of the protocol that this client speaks. */
const PROTOCOL_VERSION = 2;

/** A frame to send, without its time. */
export interface Outgoing {
  readonly type: string;
  readonly data: unknown;
  readonly request_id?: string;
}

interface Introduction {
  readonly clientId: string;
  readonly clientType: string;
  readonly token: string;
  readonly sessionToken: string | null;
}

export function clientIdentify(introduction: Introduction): Outgoing {
  const { clientId, clientType, token, sessionToken } = introduction;
  const data = {
    client_id: clientId,
    client_type: clientType,
    auth: { token },
    protocol: PROTOCOL_VERSION,
    capabilities: [],
    session_token: sessionToken,
  };
  return { type: 'client_identify', data };
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

/** The message in what a socket gave; null if there is none. */
export function parsedMessage(text: unknown): RawMessage | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && typeof value.type === 'string'
      ? (value as unknown as RawMessage)
      : null;
  } catch {
    // The server sends whole JSON; half of one can only come from something in between.
    return null;
  }
}

/** What an `error` frame or the error of a request says. */
export function faultOf({ code, message, retryable }: Record<string, unknown>): ConnectionFault {
  return {
    code: textOf(code) ?? 'unknown',
    message: textOf(message) ?? '',
    retryable: retryable === true,
  };
}

export function dataOf({ data }: RawMessage): Record<string, unknown> {
  return isRecord(data) ? data : {};
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
