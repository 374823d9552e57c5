import type { DailyAllowance } from '../evidence/upstream/daily-allowance.ts';
import { MAX_EVIDENCE_BYTES } from '../protocol/evidence-request.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type {
  EvidenceOrder,
  EvidenceSource,
  OutgoingEvidence,
} from '../uplink/evidence/evidence-source.ts';
import type { EdgeEvidence } from './edge-evidence.ts';

export interface EvidenceGiverDeps {
  readonly evidence: Pick<EdgeEvidence, 'open' | 'isAwaited'>;
  readonly allowance: DailyAllowance;
  /** The owner of the box lets the hub ask. */
  readonly isEnabled: boolean;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** Since the start. */
export interface GivenEvidence {
  readonly sent: number;
  /** By the code of the reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** When to ask again for a clip that is still being recorded. */
const CLIP_RETRY_MS = 5000;

/** Gives the hub what it asks for of this box's evidence, within the daily allowance. */
export class EvidenceGiver implements EvidenceSource {
  readonly #deps: EvidenceGiverDeps;
  readonly #refused = new Map<string, number>();
  #sent = 0;

  constructor(deps: EvidenceGiverDeps) {
    this.#deps = deps;
  }

  get counts(): GivenEvidence {
    return { sent: this.#sent, refused: Object.fromEntries(this.#refused) };
  }

  refused(code: string): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  /** @throws ApexError as `EvidenceSource.open` does */
  async open({ cameraId, kind, id }: EvidenceOrder): Promise<OutgoingEvidence> {
    const { evidence, isEnabled } = this.#deps;
    if (!isEnabled)
      throw new ApexError('EVIDENCE_REQUESTS_OFF', '`evidence.upstream.requests` is false');
    if (kind === 'clip' && evidence.isAwaited(cameraId, id))
      throw new ApexError('EVIDENCE_NOT_YET', `the clip of ${id} is still being recorded`, {
        details: { retryAfterMs: CLIP_RETRY_MS },
      });
    const file = await evidence.open(kind, cameraId, id);
    if (file === null) throw new ApexError('EVIDENCE_UNKNOWN', `no ${kind} of ${id} is kept`);
    try {
      const { size: bytes } = await file.stat();
      this.#take(bytes);
      // It may grow no more; and is closed with its end.
      const body = file.createReadStream({ end: Math.max(0, bytes - 1) });
      return {
        bytes,
        body,
        ended: (sentBytes, isTaken) => {
          if (isTaken) this.#sent++;
          this.#deps.allowance.giveBack(Math.max(0, bytes - sentBytes));
        },
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws ApexError EVIDENCE_TOO_LARGE, EVIDENCE_ALLOWANCE_SPENT */
  #take(bytes: number): void {
    const { allowance, clock } = this.#deps;
    if (bytes > MAX_EVIDENCE_BYTES)
      throw new ApexError('EVIDENCE_TOO_LARGE', `the file has ${bytes} bytes`);
    if (allowance.take(bytes)) return;
    const renewsAt = new Date(allowance.renewsAtMs).toISOString();
    const message = `${allowance.taken} bytes were sent today, and the file has ${bytes}; next day at ${renewsAt}`;
    throw new ApexError('EVIDENCE_ALLOWANCE_SPENT', message, {
      details: { retryAfterMs: allowance.renewsAtMs - clock.wallMs() },
    });
  }
}
