import type { Scopes } from '../../protocol/scopes.ts';
import type { ClientType } from '../../protocol/session.ts';
import type { FrameSink } from '../fan-out/subscriber.ts';
import type { SessionContext } from '../hub-context.ts';
import type { DeliveryStatistics } from '../ingest/delivery.ts';
import type { IdentifiedClient, ResumeRequest } from '../store/requests.ts';

/** Names a request; numbers occur in the original protocol only. */
export type RequestId = string | number | null | undefined;

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  readonly nowMs: number;
}

/** The wording of a protocol, and what differs between its sessions. The hub speaks two: see `Conversation`. */
export interface Dialect {
  readonly name: 'current' | 'legacy';
  /** A client that was silent for so long is held for dead. */
  readonly silenceMs: number;
  /** How often a silent client is asked with a WebSocket ping; null where it sends heartbeats itself. */
  readonly pingMs: number | null;
  /** A newer session takes the place of an older one of the same client. */
  readonly isExclusive: boolean;
  error(refusal: Refusal, requestId: RequestId): string;
  /** Null where the protocol has no word for it. */
  draining(reconnectAfterMs: number, deadlineMs: number, nowMs: number): string | null;
}

/** What a client said when it identified itself. */
export interface Introduction {
  readonly dialect: Dialect;
  readonly requestId: RequestId;
  readonly clientType: ClientType;
  /** Null where the name of the token stands in for it. */
  readonly clientId: string | null;
  readonly token: string;
  /** Null where the protocol cannot resume. */
  readonly resume: Omit<ResumeRequest, 'isForkForgiven'> | null;
  converse(client: AdmittedClient, channel: ClientChannel, hub: SessionContext): Conversation;
}

export interface AdmittedClient {
  readonly clientId: string;
  readonly clientType: ClientType;
  /** `clientKey` of it. */
  readonly key: string;
  /** Of the token that admitted it. */
  readonly tokenName: string;
  readonly scopes: Scopes;
}

export interface Welcome {
  readonly identified: Exclude<IdentifiedClient, { verdict: 'fork' }>;
  readonly storeId: string;
  readonly nowMs: number;
  /** Clients that would come back together after a restart. */
  readonly connections: number;
}

/** An admitted client in its own protocol: what its frames do and how it is answered. */
export interface Conversation {
  /** Everything that the client delivered is committed and acknowledged. */
  readonly isIdle: boolean;
  /** The client has no credit, or is not read from. */
  readonly isThrottled: boolean;
  readonly statistics: DeliveryStatistics;
  /** The answer to its identification; the conversation begins. */
  welcome(welcome: Welcome): string;
  onText(text: string, bytes: number): void;
  onBinary(data: Buffer): void;
  /** The connection is gone or takes no more frames. */
  stop(): void;
}

/** The connection as a conversation sees it. */
export interface ClientChannel extends FrameSink {
  /** A frame as JSON text. */
  send(text: string): void;
  reject(code: string, message: string, requestId: RequestId): void;
  /** Tells the client of a fault that is not its doing; it is not held against it. */
  notify(code: string, message: string): void;
  /** Reads no further from the socket, or goes on. */
  setReading(isReading: boolean): void;
  /** A batch was committed and acknowledged. */
  onProgress(): void;
  onStoreFailure(error: unknown): void;
  /** The frame was larger than is allowed. */
  onTooLarge(maxBytes: number): void;
  /** The client sends what it has no credit for. */
  onAbuse(): void;
}
