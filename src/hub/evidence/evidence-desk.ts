import type { Readable } from 'node:stream';
import type { EvidenceKind, SendEvidenceError } from '../../protocol/evidence-request.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import { redactText } from '../../system/redact.ts';
import type { HubCounters } from '../counters.ts';
import type { EdgeLink } from '../streams/stream-desk.ts';

/** What a viewer asks for. */
export interface EvidenceOrder {
  readonly cameraId: string;
  readonly kind: EvidenceKind;
  readonly id: string;
}

/** What an edge uploads. */
export interface EvidenceUpload {
  readonly body: Readable;
  readonly bytes: number;
}

/** Why there is nothing to show. */
export interface EvidenceFailure {
  /** Of the hub: `camera_unknown`, `edge_offline`, `edge_timeout`, `edge_outdated`, `too_many`, `gone`; else of the edge. */
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | null;
}

/** How an order ends: with an upload, or without. */
export type EvidenceOutcome =
  | { readonly upload: EvidenceUpload }
  | { readonly failure: EvidenceFailure };

export interface EvidenceDeskOptions {
  /** Who has a camera now. */
  readonly edgeOf: (cameraId: string) => EdgeLink | 'unknown' | 'offline';
  readonly clock: Clock;
  readonly counters: HubCounters;
  /** Names an order; nobody can guess it. */
  readonly newId: () => string;
  /** An edge that has not begun by then has failed. */
  readonly timeoutMs: number;
}

interface OpenOrder {
  readonly edge: EdgeLink;
  readonly askerName: string;
  readonly end: (outcome: EvidenceOutcome) => void;
}

/** Orders that wait for their uploads: of one token, and in all. */
const WAITING_PER_ASKER = 32;
const WAITING_IN_ALL = 256;

/**
 * Brings viewers evidence that edges keep. Each order is ended once: by an upload of the edge that was ordered, by its
 * refusal, its end, silence, or the viewer going. Nothing is stored.
 */
export class EvidenceDesk {
  readonly #options: EvidenceDeskOptions;
  readonly #open = new Map<string, OpenOrder>();

  constructor(options: EvidenceDeskOptions) {
    this.#options = options;
  }

  /** Orders that wait for their uploads. */
  get waiting(): number {
    return this.#open.size;
  }

  /**
   * @param askerName of the viewer's token
   * @param gone aborted when the viewer does not wait any more
   */
  ask(order: EvidenceOrder, askerName: string, gone: AbortSignal): Promise<EvidenceOutcome> {
    this.#options.counters.evidenceRequests++;
    const edge = this.#route(order, askerName);
    const asked =
      'failure' in edge ? Promise.resolve(edge) : this.#order(edge, order, askerName, gone);
    return asked.then((outcome) => {
      if ('failure' in outcome) this.#options.counters.evidenceFailed++;
      return outcome;
    });
  }

  /** An upload has begun. False for one that nobody asked this edge for, or not any more. */
  receive(requestId: string, tokenName: string, upload: EvidenceUpload): boolean {
    const order = this.#open.get(requestId);
    if (order === undefined || order.edge.tokenName !== tokenName) return false;
    order.end({ upload });
    return true;
  }

  /** An edge will not upload. */
  refused(edge: EdgeLink, requestId: string, data: SendEvidenceError['data']): void {
    const order = this.#open.get(requestId);
    if (order?.edge !== edge) return;
    const { code, message, retry_after_ms: retryAfterMs = null } = data;
    order.end({ failure: { code, message: redactText(message), retryAfterMs } });
  }

  /** The connection of an edge is gone: what it has not begun to upload it will not. */
  leave(edge: EdgeLink): void {
    const failure = offline(`${edge.edgeId} was lost before it sent anything`);
    for (const order of [...this.#open.values()]) if (order.edge === edge) order.end({ failure });
  }

  #order(
    edge: EdgeLink,
    order: EvidenceOrder,
    askerName: string,
    gone: AbortSignal,
  ): Promise<EvidenceOutcome> {
    const { newId, clock, timeoutMs } = this.#options;
    const requestId = newId();
    return new Promise((resolve) => {
      const onGone = (): void => end({ failure: failed('gone', 'the viewer is gone') });
      const end = (outcome: EvidenceOutcome): void => {
        if (!this.#open.delete(requestId)) return;
        timer.cancel();
        gone.removeEventListener('abort', onGone);
        resolve(outcome);
      };
      const timer: TimerHandle = clock.setTimeout(() => {
        const message = `${edge.edgeId} did not begin within ${timeoutMs / 1000} s`;
        end({ failure: failed('edge_timeout', message) });
      }, timeoutMs);
      this.#open.set(requestId, { edge, askerName, end });
      gone.addEventListener('abort', onGone);
      if (gone.aborted) onGone();
      else edge.orderEvidence(requestId, order);
    });
  }

  #route({ cameraId }: EvidenceOrder, askerName: string): EdgeLink | { failure: EvidenceFailure } {
    const own = [...this.#open.values()].filter((order) => order.askerName === askerName);
    if (own.length >= WAITING_PER_ASKER || this.#open.size >= WAITING_IN_ALL)
      return { failure: failed('too_many', 'too much evidence is on its way already', 1000) };
    const edge = this.#options.edgeOf(cameraId);
    if (edge === 'unknown')
      return { failure: failed('camera_unknown', `no edge has a camera ${cameraId}`) };
    if (edge === 'offline')
      return { failure: offline(`the edge that has ${cameraId} is not connected`) };
    if (edge.canSendEvidence) return edge;
    const message = `${edge.edgeId} runs a version that cannot send evidence`;
    return { failure: failed('edge_outdated', message) };
  }
}

function failed(
  code: string,
  message: string,
  retryAfterMs: number | null = null,
): EvidenceFailure {
  return { code, message, retryAfterMs };
}

function offline(message: string): EvidenceFailure {
  return failed('edge_offline', message, 5000);
}
