import type { EdgeLink, StreamDesk } from '../hub/streams/stream-desk.ts';
import type { StreamRequest } from '../hub/streams/stream-request.ts';
import { USUAL_SCOPES } from '../protocol/scopes.ts';
import type { StreamRequestHandler } from '../uplink/stream-orders.ts';

/** Does what viewers ask of the cameras of this box. */
export type LocalCameras = StreamRequestHandler;

export interface LocalEdgeOptions {
  readonly edgeId: string;
  readonly cameras: LocalCameras;
  readonly streams: StreamDesk;
}

/** This box, as its own desk of stream requests knows an edge. */
export class LocalEdge implements EdgeLink {
  readonly edgeId: string;
  readonly tokenName = 'this box';
  readonly scopes = USUAL_SCOPES;
  readonly canSendEvidence = false;
  readonly #cameras: LocalCameras;
  readonly #streams: StreamDesk;
  #announced = '';

  constructor({ edgeId, cameras, streams }: LocalEdgeOptions) {
    this.edgeId = edgeId;
    this.#cameras = cameras;
    this.#streams = streams;
    streams.join(this);
  }

  /** To be called now and then: cameras come and go. */
  announce(): void {
    const ids = this.#cameras.cameras();
    const text = ids.join('\n');
    if (text === this.#announced) return;
    this.#announced = text;
    this.#streams.announce(this, ids);
  }

  order(orderId: string, { kind, cameraId, url, quality }: StreamRequest): void {
    void this.#cameras.handle({ kind, cameraId, url, quality }).then((done) => {
      this.announce();
      const { code = 'INTERNAL', message = '', isRetryable = false } = done;
      const answer = done.isDone
        ? { isDone: true as const, quality: done.quality }
        : { isDone: false as const, code, message, isRetryable };
      this.#streams.answered(this, { orderId, kind, cameraId, answer });
    });
  }

  /** No other edge is here. */
  conflict(): void {}

  /** Evidence of a box is asked for over HTTP. */
  orderEvidence(): void {}
}
