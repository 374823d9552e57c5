import { randomUUID } from 'node:crypto';
import type { BatchAck } from '../../protocol/batch.ts';
import { parseServerFrame } from '../../protocol/codec.ts';
import type { ServerFrame } from '../../protocol/frames.ts';
import {
  legacyHeartbeatAckSchema,
  legacyWelcomeSchema,
  secondsOfMs,
} from '../../protocol/legacy.ts';
import { toLegacyMessage } from '../../protocol/legacy-messages.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { INITIAL_BACKOFF } from '../../protocol/reconnection.ts';
import type { OutboxItem } from '../../store/outbox/outbox-rows.ts';
import type { StreamAnswer, StreamOrder } from '../stream-orders.ts';
import type { BatchFrame, Now } from './batch-frame.ts';
import type { Dialect, Heartbeat, Inbound, Introduction, Payload } from './dialect.ts';

/** What this edge does, in words for whoever runs the server. */
const ABILITIES = ['object_detection', 'alerts'];

type Rejected = BatchAck['data']['rejected'][number];

/** A heartbeat in flight, and what was sent before it. */
interface Barrier {
  readonly requestId: string;
  readonly batch: {
    readonly epoch: string;
    readonly lane: BatchFrame['lane'];
    readonly through: number;
    /** Numbers of the sent messages by their ids. */
    readonly seqs: ReadonlyMap<string, number>;
    readonly withheld: number;
    readonly rejected: Rejected[];
  } | null;
}

/**
 * The original protocol. It acknowledges no message, so every batch is followed by a heartbeat, and the answer to
 * that says that the hub has read what came before it: delivered to its process, not to its disk.
 */
export class LegacyDialect implements Dialect {
  readonly deliveryLevel = 'process';
  readonly #version: string;
  /** Told how many messages a hub of this kind does not know, once it has answered for the others. */
  readonly #onWithheld: (messages: number) => void;
  #barriers: Barrier[] = [];
  /** Orders of this connection by a name that is theirs alone: its hubs number requests from 1 at every start. */
  readonly #orders = new Map<string, unknown>();

  constructor(version: string, onWithheld: (messages: number) => void) {
    this.#version = version;
    this.#onWithheld = onWithheld;
  }

  readText(text: string): Inbound {
    const frame = objectOf(text);
    if (frame === null) return { kind: 'fault', message: 'the hub sent what is no JSON object' };
    switch (frame.type) {
      case 'identification_success':
        return legacyWelcomeSchema.safeParse(frame).success ? welcome(frame) : nothing(frame);
      case 'heartbeat_ack':
        return legacyHeartbeatAckSchema.safeParse(frame).success
          ? { kind: 'frames', frames: this.#passed(frame.request_id) }
          : nothing(frame);
      case 'error':
        return this.#onError(frame);
      case 'start_stream_processing':
      case 'stop_stream_processing':
      case 'change_stream_processing':
        return this.#onOrder(frame);
      default:
        return nothing(frame);
    }
  }

  readBinary(): Inbound {
    return { kind: 'fault', message: 'the hub sent a binary frame that it had not offered' };
  }

  identify({ clientId, token }: Introduction, { wallMs }: Now): Payload {
    return text('client_identify', wallMs, 'identify', {
      client_type: 'ai_engine',
      auth_token: token,
      client_id: clientId,
      capabilities: ABILITIES,
      version: this.#version,
    });
  }

  batch(batch: BatchFrame, now: Now): readonly Payload[] {
    const seqs = new Map<string, number>();
    const texts: string[] = [];
    let withheld = 0;
    for (const item of batch.items) {
      const message = legacyMessage(item);
      if (message === null) withheld += isLoss(item) ? 1 : 0;
      else {
        texts.push(JSON.stringify(message));
        seqs.set(message.request_id, item.seq);
      }
    }
    const { requestId, epoch, lane, through } = batch;
    this.#barriers.push({
      requestId,
      batch: { epoch, lane, through, seqs, withheld, rejected: [] },
    });
    return [...texts, heartbeatText(requestId, now)];
  }

  heartbeat({ requestId }: Heartbeat, now: Now): Payload {
    this.#barriers.push({ requestId, batch: null });
    return heartbeatText(requestId, now);
  }

  evidenceRefused(): null {
    return null;
  }

  goodbye(): null {
    return null;
  }

  cameras(): null {
    return null;
  }

  /** Its hubs know answers to starts only, and take what they do not know for a fault. */
  streamAnswer(
    requestId: string,
    { kind, cameraId }: StreamOrder,
    { isDone, quality, code, message, isRetryable }: StreamAnswer,
    { wallMs }: Now,
  ): Payload | null {
    const id = this.#orders.get(requestId);
    this.#orders.delete(requestId);
    if (kind !== 'start') return null;
    const [type, more] = isDone
      ? ['stream_start_success', { quality }]
      : ['stream_start_error', { code, message, error: message, retryable: isRetryable }];
    const data = { camera_id: cameraId, ...more };
    const head = { type, timestamp: secondsOfMs(wallMs) };
    return JSON.stringify({ ...head, ...(id !== null && { request_id: id }), data });
  }

  #onOrder(frame: Readonly<Record<string, unknown>>): Inbound {
    const given = Object.entries(frame.data ?? {}).filter(([, value]) => value !== null);
    const { quality, ...data } = Object.fromEntries(given);
    const head = { type: frame.type, timestamp: 0, request_id: '' };
    // A quality in words that this edge does not know leaves the choice to it.
    const result = [{ ...data, quality }, data]
      .map((each) => parseServerFrame(JSON.stringify({ ...head, data: each })))
      .find(({ ok }) => ok);
    if (result?.ok !== true || result.kind !== 'frame') return nothing(frame);
    const requestId = randomUUID();
    this.#orders.set(requestId, frame.request_id ?? null);
    return { kind: 'frames', frames: [{ ...result.frame, request_id: requestId } as ServerFrame] };
  }

  /** The hub has read everything up to this heartbeat; without an id it answers in order. */
  #passed(requestId: unknown): ServerFrame[] {
    const isById = requestId !== undefined && requestId !== null;
    const index = isById
      ? this.#barriers.findIndex((barrier) => barrier.requestId === String(requestId))
      : 0;
    const passed = this.#barriers.slice(0, index + 1);
    this.#barriers = this.#barriers.slice(passed.length);
    return passed.map((barrier) => this.#answer(barrier));
  }

  #answer({ requestId, batch }: Barrier): ServerFrame {
    if (batch === null)
      return { type: 'heartbeat_ack', timestamp: 0, data: { client_timestamp: 0, server_time: 0 } };
    const { epoch, lane, through, withheld, rejected } = batch;
    if (withheld > 0) this.#onWithheld(withheld);
    const acks = [{ epoch, lane, acked_through: through }];
    return { type: 'batch_ack', timestamp: 0, request_id: requestId, data: { acks, rejected } };
  }

  /** About one message it is a refusal of that; any other is about the whole session. */
  #onError(frame: Readonly<Record<string, unknown>>): Inbound {
    const data = frame.data as Readonly<Record<string, unknown>> | null | undefined;
    const code = String(data?.code ?? frame.code ?? 'error').slice(0, 64);
    const message = String(data?.message ?? frame.message ?? 'no reason given').slice(0, 500);
    const id = String(frame.request_id);
    for (const { batch } of this.#barriers) {
      const seq = batch?.seqs.get(id);
      if (seq === undefined) continue;
      batch?.rejected.push({ seq, code, message, quarantined: false });
      return { kind: 'frames', frames: [] };
    }
    const error = { code, message, retryable: false };
    return { kind: 'frames', frames: [{ type: 'error', timestamp: 0, data: error }] };
  }
}

function nothing({ type }: Readonly<Record<string, unknown>>): Inbound {
  return { kind: 'ignored', type: String(type).slice(0, 64) };
}

/** What the original protocol leaves open is filled with this side's own limits. */
function welcome({ request_id: requestId }: Readonly<Record<string, unknown>>): Inbound {
  const { baseMs, capMs } = INITIAL_BACKOFF;
  const frame: ServerFrame = {
    type: 'identification_success',
    timestamp: 0,
    request_id: String(requestId),
    data: {
      session_token: '',
      store_id: '',
      server_time: 0,
      resume: { streams: [] },
      flow: { credit_messages: LIMITS.windowMessages, credit_bytes: LIMITS.windowBytes },
      reconnect: { base_ms: baseMs, cap_ms: capMs },
    },
  };
  return { kind: 'frames', frames: [frame] };
}

/** Null for what the original protocol does not know. The id lets the hub find what came twice. */
function legacyMessage(item: OutboxItem): ReturnType<typeof toLegacyMessage> {
  if (item.kind === 'gap') return null;
  return toLegacyMessage(item.type, JSON.parse(item.body), item.wallMs, item.messageId);
}

/** What was delivered long ago and deleted is no loss that a hub would have to know of. */
function isLoss(item: OutboxItem): boolean {
  return item.kind === 'message' || item.gap.reason !== 'hub_regression';
}

function heartbeatText(requestId: string, { wallMs }: Now): string {
  return text('heartbeat', wallMs, requestId, { client_time: secondsOfMs(wallMs) });
}

function text(type: string, wallMs: number, requestId: string, data: object): string {
  return JSON.stringify({ type, timestamp: secondsOfMs(wallMs), request_id: requestId, data });
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    // Not JSON: said by the caller.
    return null;
  }
}
