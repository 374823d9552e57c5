import { parseServerFrame } from '../../protocol/codec.ts';
import { EVIDENCE_CAPABILITY } from '../../protocol/evidence-request.ts';
import type { ClientFrame } from '../../protocol/frames.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { PAYLOADS } from '../../protocol/payloads.ts';
import {
  CAPABILITIES,
  type ClientIdentify,
  type ConnectionEstablished,
  MAX_CAMERAS,
  PROTOCOL_VERSION,
} from '../../protocol/session.ts';
import type { ApexError, ErrorCode } from '../../system/errors.ts';
import { deflateText, inflateText } from '../../system/raw-deflate.ts';
import type { StreamAnswer, StreamOrder } from '../stream-orders.ts';
import { type BatchFrame, batchFrame, type Now } from './batch-frame.ts';
import type { Dialect, Heartbeat, Inbound, Introduction, Payload } from './dialect.ts';

/** The capability of taking frames as raw-deflated binary messages. */
const DEFLATE = 'deflate_raw';
/** Shorter texts gain little. */
const DEFLATE_FROM_BYTES = 4 * 1024;

/** The current protocol: batches, acknowledged once they are on the hub's disk. */
export class EnhancedDialect implements Dialect {
  readonly deliveryLevel = 'disk';
  /** Whether this edge wants to save bytes at the cost of time. */
  readonly #wantsDeflate: boolean;
  #hubDeflates = false;
  /** What the hub knows of this edge's cameras, as text. */
  #announced = '';

  constructor(compression: 'off' | 'deflate') {
    this.#wantsDeflate = compression === 'deflate';
  }

  /** Takes note of the hub's greeting. Returns why this hub cannot be spoken with, or null. */
  greeted({ protocol, capabilities }: ConnectionEstablished['data']): string | null {
    if (PROTOCOL_VERSION < protocol.min || PROTOCOL_VERSION > protocol.max)
      return `the hub speaks protocol ${protocol.min} to ${protocol.max}, this edge ${PROTOCOL_VERSION}`;
    this.#hubDeflates = capabilities.includes(DEFLATE);
    const missing = ['batch', 'resume'].filter((name) => !capabilities.includes(name));
    return missing.length === 0 ? null : `the hub cannot ${missing.join(' and ')}`;
  }

  readText(text: string): Inbound {
    const result = parseServerFrame(text);
    if (result.ok) {
      if (result.kind === 'frame') return { kind: 'frames', frames: [result.frame] };
      return { kind: 'ignored', type: result.event.type };
    }
    const { fault, message, type = 'frame' } = result;
    if (fault === 'unknown_type') return { kind: 'ignored', type };
    return { kind: 'fault', message: `the hub sent a ${type} that is wrong: ${message}` };
  }

  readBinary(bytes: Uint8Array): Inbound {
    if (!this.#hubDeflates)
      return { kind: 'fault', message: 'the hub sent a binary frame that it had not offered' };
    const inflated = inflateText(bytes, LIMITS.maxFrameBytes);
    if (inflated.ok) return this.readText(inflated.text);
    const what = inflated.fault === 'wrong' ? 'is no deflated text' : 'unfolds to too much';
    return { kind: 'fault', message: `the hub sent a binary frame that ${what}` };
  }

  identify(introduction: Introduction, now: Now): Payload {
    const frame = identifyFrame(introduction, now);
    const cameras = introduction.cameras?.slice(0, MAX_CAMERAS);
    const full = text({ ...frame, data: { ...frame.data, ...(cameras && { cameras }) } });
    // What does not fit beside the streams is announced behind the welcome.
    if (Buffer.byteLength(full) > LIMITS.preAuthFrameBytes) return text(frame);
    this.#announced = JSON.stringify(cameras);
    return full;
  }

  batch(batch: BatchFrame, now: Now): readonly Payload[] {
    const plain = batchFrame(batch, now);
    const isWorthIt = this.#wantsDeflate && this.#hubDeflates && plain.length >= DEFLATE_FROM_BYTES;
    return [isWorthIt ? deflateText(plain) : plain];
  }

  heartbeat(heartbeat: Heartbeat, { wallMs, monoMs }: Now): Payload {
    const { requestId, pending, disk, isClockSynced, offset } = heartbeat;
    const clock = {
      ...(isClockSynced && { synced: true }),
      ...(offset && { offset_ms: offset.offsetMs, round_trip_ms: offset.roundTripMs }),
    };
    return text({
      type: 'heartbeat',
      timestamp: wallMs,
      request_id: requestId,
      data: { mono_ms: monoMs, pending: { ...pending }, ...(disk && { disk }), clock },
    });
  }

  cameras(cameraIds: readonly string[], { wallMs }: Now): Payload | null {
    const cameras = cameraIds.slice(0, MAX_CAMERAS);
    const announced = JSON.stringify(cameras);
    if (announced === this.#announced) return null;
    this.#announced = announced;
    return text({ type: 'cameras_changed', timestamp: wallMs, data: { cameras } });
  }

  streamAnswer(
    requestId: string,
    { kind, cameraId }: StreamOrder,
    answer: StreamAnswer,
    { wallMs }: Now,
  ): Payload {
    const head = { timestamp: wallMs, request_id: requestId };
    const [success, failure] = ANSWER_TYPES[kind];
    const { isDone, quality, code = '', message = '', isRetryable = false } = answer;
    if (isDone) return text({ type: success, ...head, data: { camera_id: cameraId, quality } });
    const data = { camera_id: cameraId, code, message, retryable: isRetryable };
    return text({ type: failure, ...head, data });
  }

  evidenceRefused(requestId: string, error: ApexError, { wallMs }: Now): Payload {
    const { code, message, details } = error;
    const { retryAfterMs } = details;
    const isNumber = typeof retryAfterMs === 'number';
    const data = {
      ...{ code, message, retryable: isNumber || PASSING.has(code) },
      ...(isNumber && { retry_after_ms: Math.max(0, Math.ceil(retryAfterMs)) }),
    };
    return text({ type: 'send_evidence_error', timestamp: wallMs, request_id: requestId, data });
  }

  goodbye(pending: Readonly<Record<string, number>>, { wallMs }: Now): Payload {
    return text({ type: 'client_goodbye', timestamp: wallMs, data: { pending: { ...pending } } });
  }
}

/** Refusals that another try may not meet. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['EVIDENCE_BUSY', 'EVIDENCE_UPLOAD_FAILED']);

const ANSWER_TYPES = {
  start: ['stream_start_success', 'stream_start_error'],
  stop: ['stream_stop_success', 'stream_stop_error'],
  change: ['stream_quality_success', 'stream_quality_error'],
} as const;

function identifyFrame(introduction: Introduction, { wallMs, monoMs }: Now): ClientIdentify {
  const { clientId, token, bootId, isClockSynced, peer, streams, canSendEvidence } = introduction;
  return {
    type: 'client_identify',
    timestamp: wallMs,
    request_id: 'identify',
    data: {
      client_id: clientId,
      client_type: 'ai_engine',
      auth: { token },
      protocol: PROTOCOL_VERSION,
      capabilities: [...CAPABILITIES, ...(canSendEvidence ? [EVIDENCE_CAPABILITY] : [])],
      boot_id: bootId,
      session_token: peer?.sessionToken ?? null,
      clock: { mono_ms: monoMs, ...(isClockSynced && { synced: true }) },
      schema_versions: Object.fromEntries(
        Object.entries(PAYLOADS).map(([type, { version }]) => [type, version]),
      ),
      resume: {
        streams: streams.map(({ epoch, lane, firstSeq, nextSeq, isSameBoot }) => ({
          epoch,
          lane,
          first_seq: firstSeq,
          next_seq: nextSeq,
          ...(isSameBoot && { boot_id: bootId }),
        })),
      },
    },
  };
}

/** None of these can be too large for a frame: their lists are bounded. */
function text(frame: ClientFrame): string {
  return JSON.stringify(frame);
}
