import type { Readable } from 'node:stream';
import type { EvidenceKind } from '../../protocol/evidence-request.ts';

export interface EvidenceOrder {
  readonly cameraId: string;
  readonly kind: EvidenceKind;
  /** Of the event or alert. */
  readonly id: string;
}

/** A file on its way to the hub. */
export interface OutgoingEvidence {
  readonly bytes: number;
  readonly body: Readable;
  /** Its way is over. @param sentBytes what of it left this box @param isTaken the hub has all of it */
  readonly ended: (sentBytes: number, isTaken: boolean) => void;
}

/** What this edge gives away of its evidence. */
export interface EvidenceSource {
  /** @throws ApexError EVIDENCE_UNKNOWN, EVIDENCE_NOT_YET, EVIDENCE_ALLOWANCE_SPENT, EVIDENCE_REQUESTS_OFF, EVIDENCE_TOO_LARGE */
  open(order: EvidenceOrder): Promise<OutgoingEvidence>;
  /** An order came to nothing, for this reason. */
  refused(code: string): void;
}
