import { createHash } from 'node:crypto';
import { LIMITS } from '../protocol/limits.ts';
import type { StreamQuality } from '../protocol/stream-control.ts';

/** What the hub asks of a camera. `url` may hold a password. */
export interface StreamOrder {
  readonly kind: 'start' | 'stop' | 'change';
  readonly cameraId: string;
  readonly url?: string | undefined;
  readonly quality?: StreamQuality | undefined;
}

export interface StreamAnswer {
  readonly isDone: boolean;
  /** What the camera is really analysed with. */
  readonly quality?: StreamQuality | undefined;
  /** Why it was not done. */
  readonly code?: string;
  readonly message?: string;
  readonly isRetryable?: boolean;
}

/** Does what a hub asks of this edge's cameras. */
export interface StreamRequestHandler {
  /** Ids of all cameras that this edge has. */
  cameras(): readonly string[];
  /** Never rejects. */
  handle(order: StreamOrder): Promise<StreamAnswer>;
}

/** Orders that are being carried out; a hub that asks for more gets an error. */
const MOST_AT_ONCE = 256;

interface Known {
  readonly content: string;
  readonly answer: Promise<StreamAnswer>;
}

/** Carries out each order once, however often and over however many connections its request comes. */
export class StreamOrders {
  readonly #handler: StreamRequestHandler;
  /** By request id; the answered ones in the order of their answers. */
  readonly #atWork = new Map<string, Known>();
  readonly #answered = new Map<string, Known>();

  constructor(handler: StreamRequestHandler) {
    this.#handler = handler;
  }

  cameras(): readonly string[] {
    return this.#handler.cameras();
  }

  /** Never rejects. */
  carryOut(requestId: string, order: StreamOrder): Promise<StreamAnswer> {
    const content = contentOf(order);
    const known = this.#atWork.get(requestId) ?? this.#answered.get(requestId);
    if (known !== undefined)
      return known.content === content ? known.answer : refused('request_conflict', false);
    if (this.#atWork.size >= MOST_AT_ONCE) return refused('too_many_requests', true);
    const answer = this.#handler.handle(order).finally(() => this.#keep(requestId));
    this.#atWork.set(requestId, { content, answer });
    return answer;
  }

  #keep(requestId: string): void {
    const known = this.#atWork.get(requestId);
    if (known === undefined) return;
    this.#atWork.delete(requestId);
    this.#answered.set(requestId, known);
    const [oldest] = this.#answered.keys();
    if (this.#answered.size > LIMITS.keptAnswers && oldest !== undefined)
      this.#answered.delete(oldest);
  }
}

/** Tells orders apart without keeping their passwords. */
function contentOf({ kind, cameraId, url, quality }: StreamOrder): string {
  const content = JSON.stringify([kind, cameraId, url ?? null, quality ?? null]);
  return createHash('sha256').update(content).digest('base64');
}

const REASONS = {
  request_conflict: 'another request came under this request_id',
  too_many_requests: `this edge is carrying out ${MOST_AT_ONCE} requests already`,
} as const;

function refused(code: keyof typeof REASONS, isRetryable: boolean): Promise<StreamAnswer> {
  return Promise.resolve({ isDone: false, code, message: REASONS[code], isRetryable });
}
