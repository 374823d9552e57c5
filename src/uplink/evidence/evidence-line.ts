import type { SendEvidence } from '../../protocol/evidence-request.ts';
import type { ApexError } from '../../system/errors.ts';
import type { Now } from '../dialect/batch-frame.ts';
import type { Dialect, Payload } from '../dialect/dialect.ts';
import type { EvidenceOrders, Orderer } from './evidence-orders.ts';

export interface EvidenceLineOptions {
  readonly orders: EvidenceOrders;
  readonly dialect: Dialect;
  readonly send: (payload: Payload) => void;
  readonly now: () => Now;
}

/** Orders to send evidence on one connection. */
export class EvidenceLine implements Orderer {
  readonly #options: EvidenceLineOptions;
  #isOver = false;

  constructor(options: EvidenceLineOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  onOrder({ request_id: requestId, data }: SendEvidence): void {
    const { camera_id: cameraId, kind, id } = data;
    this.#options.orders.take(requestId, { cameraId, kind, id }, this);
  }

  refuse(requestId: string, error: ApexError): void {
    const { dialect, send, now } = this.#options;
    const payload = dialect.evidenceRefused(requestId, error, now());
    if (payload !== null) send(payload);
  }

  end(): void {
    this.#isOver = true;
  }
}
