import { ApexError, asApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import type { EvidenceOrder, EvidenceSource, OutgoingEvidence } from './evidence-source.ts';

/** Who gave an order, for as long as it waits for the file. */
export interface Orderer {
  /** The connection of the order is over. */
  readonly isOver: boolean;
  refuse(requestId: string, error: ApexError): void;
}

export interface EvidenceOrdersOptions {
  readonly source: EvidenceSource;
  /** @throws ApexError */
  readonly upload: (requestId: string, evidence: OutgoingEvidence) => Promise<void>;
  readonly log: Logger;
}

interface Waiting {
  readonly requestId: string;
  readonly order: EvidenceOrder;
  readonly orderer: Orderer;
}

/** A mobile connection has room for little else beside two. */
const UPLOADS_AT_ONCE = 2;
const MOST_WAITING = 32;

/** Carries out orders of a hub to send evidence, a few at a time, in their order. */
export class EvidenceOrders {
  readonly #options: EvidenceOrdersOptions;
  readonly #waiting: Waiting[] = [];
  #uploads = 0;

  constructor(options: EvidenceOrdersOptions) {
    this.#options = options;
  }

  take(requestId: string, order: EvidenceOrder, orderer: Orderer): void {
    if (this.#waiting.length >= MOST_WAITING) {
      const error = new ApexError('EVIDENCE_BUSY', `${MOST_WAITING} orders wait already`);
      this.#refuse({ requestId, order, orderer }, error);
      return;
    }
    this.#waiting.push({ requestId, order, orderer });
    this.#next();
  }

  #next(): void {
    while (this.#uploads < UPLOADS_AT_ONCE) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // A hub that lost the connection has told its viewer so.
      if (next.orderer.isOver) continue;
      this.#uploads++;
      void this.#carryOut(next).finally(() => {
        this.#uploads--;
        this.#next();
      });
    }
  }

  /** Never rejects. */
  async #carryOut(waiting: Waiting): Promise<void> {
    const { source, upload, log } = this.#options;
    const { requestId, order } = waiting;
    try {
      const evidence = await source.open(order);
      const { cameraId: camera, kind, id } = order;
      await upload(requestId, evidence);
      log.info({ camera, kind, id, bytes: evidence.bytes }, 'evidence sent to the hub');
    } catch (error) {
      this.#refuse(waiting, asApexError(error, 'EVIDENCE_UPLOAD_FAILED'));
    }
  }

  #refuse({ requestId, order, orderer }: Waiting, error: ApexError): void {
    const { source, log } = this.#options;
    const { cameraId: camera, kind, id } = order;
    log.warn({ camera, kind, id, err: error }, 'evidence not sent');
    source.refused(error.code);
    // Also where the upload broke: the hub may not have seen any of it.
    if (!orderer.isOver) orderer.refuse(requestId, error);
  }
}
