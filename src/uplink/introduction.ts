import { PAYLOADS } from '../protocol/payloads.ts';
import {
  CAPABILITIES,
  type ClientIdentify,
  type ConnectionEstablished,
  PROTOCOL_VERSION,
} from '../protocol/session.ts';
import type { OutboxStream, SinkPeer } from '../store/requests.ts';

export interface Introduction {
  readonly clientId: string;
  readonly token: string;
  readonly bootId: string;
  readonly peer: SinkPeer | null;
  readonly streams: readonly OutboxStream[];
  readonly wallMs: number;
  readonly monoMs: number;
}

export function clientIdentify(introduction: Introduction): ClientIdentify {
  const { clientId, token, bootId, peer, streams, wallMs, monoMs } = introduction;
  return {
    type: 'client_identify',
    timestamp: wallMs,
    request_id: 'identify',
    data: {
      client_id: clientId,
      client_type: 'ai_engine',
      auth: { token },
      protocol: PROTOCOL_VERSION,
      capabilities: [...CAPABILITIES],
      boot_id: bootId,
      session_token: peer?.sessionToken ?? null,
      clock: { mono_ms: monoMs },
      schema_versions: Object.fromEntries(
        Object.entries(PAYLOADS).map(([type, { version }]) => [type, version]),
      ),
      resume: {
        streams: streams.map(({ epoch, lane, firstSeq, nextSeq }) => ({
          epoch,
          lane,
          first_seq: firstSeq,
          next_seq: nextSeq,
        })),
      },
    },
  };
}

/** Why this hub cannot be spoken with, or null. */
export function incompatibility({
  protocol,
  capabilities,
}: ConnectionEstablished['data']): string | null {
  if (PROTOCOL_VERSION < protocol.min || PROTOCOL_VERSION > protocol.max)
    return `the hub speaks protocol ${protocol.min} to ${protocol.max}, this edge ${PROTOCOL_VERSION}`;
  const missing = ['batch', 'resume'].filter((name) => !capabilities.includes(name));
  return missing.length === 0 ? null : `the hub cannot ${missing.join(' and ')}`;
}
