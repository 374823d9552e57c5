import type { ServerFrame } from '../../protocol/frames.ts';
import type { OutboxStream, SinkPeer } from '../../store/requests.ts';
import type { ApexError } from '../../system/errors.ts';
import type { OffsetEstimate } from '../liveness/clock-offset.ts';
import type { StreamAnswer, StreamOrder } from '../stream-orders.ts';
import type { BatchFrame, Now } from './batch-frame.ts';

/** What goes out as one WebSocket message: text, or bytes of the same frame deflated. */
export type Payload = string | Uint8Array;

/** What an acknowledgement stands for: on the hub's disk, or taken by its process. */
export type DeliveryLevel = 'disk' | 'process';

export interface Introduction {
  readonly clientId: string;
  readonly token: string;
  readonly bootId: string;
  readonly isClockSynced: true | undefined;
  readonly peer: SinkPeer | null;
  readonly streams: readonly OutboxStream[];
  /** The hub may order evidence. */
  readonly canSendEvidence: boolean;
  /** Ids of the cameras that this edge announces; null where it announces none. */
  readonly cameras: readonly string[] | null;
}

export interface Heartbeat {
  readonly requestId: string;
  /** Not acknowledged, by lane number. */
  readonly pending: Readonly<Record<string, number>>;
  readonly disk: { readonly used: number; readonly budget: number } | null;
  readonly isClockSynced: true | undefined;
  readonly offset: OffsetEstimate | null;
}

export type Inbound =
  | { readonly kind: 'frames'; readonly frames: readonly ServerFrame[] }
  /** Of a newer hub, or a broadcast: harmless. */
  | { readonly kind: 'ignored'; readonly type: string }
  | { readonly kind: 'fault'; readonly message: string };

/**
 * How to speak with a hub. What comes in is told in the frames of the current protocol, whatever the hub speaks;
 * so everything behind a dialect knows one protocol only.
 */
export interface Dialect {
  readonly deliveryLevel: DeliveryLevel;
  readText(text: string): Inbound;
  readBinary(bytes: Uint8Array): Inbound;
  identify(introduction: Introduction, now: Now): Payload;
  /** Everything of the batch, in order, and what makes the hub acknowledge it. */
  batch(batch: BatchFrame, now: Now): readonly Payload[];
  heartbeat(heartbeat: Heartbeat, now: Now): Payload;
  /** Null where the hub knows these cameras already, or no such word. */
  cameras(cameraIds: readonly string[], now: Now): Payload | null;
  /** Null where the hub knows no such word. */
  streamAnswer(
    requestId: string,
    order: StreamOrder,
    answer: StreamAnswer,
    now: Now,
  ): Payload | null;
  /** Null where the hub knows no such word. */
  evidenceRefused(requestId: string, error: ApexError, now: Now): Payload | null;
  /** Null where the hub knows no such word. */
  goodbye(pending: Readonly<Record<string, number>>, now: Now): Payload | null;
}
