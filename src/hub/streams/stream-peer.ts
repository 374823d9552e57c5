import type { SendEvidenceError } from '../../protocol/evidence-request.ts';
import { isInScope } from '../../protocol/scopes.ts';
import type { EvidenceOrder } from '../evidence/evidence-desk.ts';
import type { SessionContext } from '../hub-context.ts';
import type { AdmittedClient, ClientChannel, RequestId } from '../session/dialect.ts';
import type { StreamAnswer } from './request-state.ts';
import type { Asker, EdgeAnswer, EdgeLink } from './stream-desk.ts';
import type { StreamRequest } from './stream-request.ts';

/** Orders and answers as frames of a protocol. */
interface StreamWording {
  order(orderId: string, request: StreamRequest): string;
  answer(request: StreamRequest, answer: StreamAnswer, requestId: RequestId): string;
  /** Null where the edge knows no such order. */
  readonly evidence: ((requestId: string, order: EvidenceOrder) => string) | null;
}

export interface StreamPeerOptions {
  readonly client: AdmittedClient;
  /** Names the client over its connections. */
  readonly askerKey: string;
  readonly channel: ClientChannel;
  readonly hub: SessionContext;
  readonly wording: StreamWording;
}

/** A client's part in requests for cameras: an edge is given orders, of streams and evidence, every other client asks. */
export class StreamPeer {
  readonly #options: StreamPeerOptions;
  readonly #edge: EdgeLink | null;
  readonly #asker: Asker;

  constructor(options: StreamPeerOptions) {
    const { client, askerKey, channel, wording } = options;
    const { clientId: edgeId, clientType, scopes, tokenName } = client;
    this.#options = options;
    const edge: EdgeLink = {
      edgeId,
      tokenName,
      scopes,
      order: (orderId, request) => channel.send(wording.order(orderId, request)),
      conflict: (message) => channel.notify('camera_conflict', message),
      canSendEvidence: wording.evidence !== null,
      orderEvidence: (requestId, order) => {
        if (wording.evidence !== null) channel.send(wording.evidence(requestId, order));
      },
    };
    this.#edge = clientType === 'ai_engine' ? edge : null;
    this.#asker = {
      key: askerKey,
      answer: (request, answer, requestId) =>
        channel.send(wording.answer(request, answer, requestId)),
    };
  }

  /** @param cameraIds that the client announced with its introduction, if it did */
  begin(cameraIds?: readonly string[]): void {
    if (this.#edge === null) return;
    this.#options.hub.streams.join(this.#edge);
    // A client hears of conflicts behind its welcome.
    if (cameraIds !== undefined) queueMicrotask(() => this.announce(cameraIds));
  }

  announce(cameraIds: readonly string[], requestId: RequestId = null): void {
    const { channel, client, hub } = this.#options;
    if (this.#edge === null) return;
    const isOwn = (id: string): boolean => isInScope(client.scopes.cameras, id);
    const foreign = cameraIds.filter((id) => !isOwn(id));
    if (foreign.length > 0) {
      hub.counters.forbidden++;
      const message = `cameras outside of the token's scope: ${shown(foreign)}`;
      channel.reject('forbidden', message, requestId);
    }
    hub.streams.announce(this.#edge, cameraIds.filter(isOwn));
  }

  ask(request: StreamRequest, requestId: RequestId): void {
    this.#options.hub.streams.ask(this.#asker, request, requestId);
  }

  answered(answer: EdgeAnswer): void {
    if (this.#edge !== null) this.#options.hub.streams.answered(this.#edge, answer);
  }

  /** The edge does not send what it was asked for. */
  refusedEvidence(requestId: string, data: SendEvidenceError['data']): void {
    if (this.#edge !== null) this.#options.hub.evidence.refused(this.#edge, requestId, data);
  }

  end(): void {
    const { streams, evidence } = this.#options.hub;
    if (this.#edge === null) streams.forget(this.#asker);
    else {
      streams.leave(this.#edge);
      evidence.leave(this.#edge);
    }
  }
}

function shown(cameraIds: readonly string[]): string {
  const few = cameraIds.slice(0, 5).join(', ');
  return cameraIds.length > 5 ? `${few} and ${cameraIds.length - 5} more` : few;
}
