import type { BatchAck, FlowCredit, MessageBatch, ResyncRequired } from '../../protocol/batch.ts';
import { replyTo } from '../session/server-frames.ts';
import type { StoredBatch } from '../store/requests.ts';
import type { Rejection } from './ingest.ts';

type StreamAcks = BatchAck['data']['acks'];

export interface AcknowledgementsOptions {
  readonly send: (frame: BatchAck | ResyncRequired) => void;
  readonly credit: () => FlowCredit;
  readonly wallMs: () => number;
}

/**
 * Acknowledges what one commit stored for one client: one frame with the newest number of each stream, under the
 * `request_id` of the last batch in it. Acknowledgements are cumulative, so that one stands for the earlier ones.
 *
 * A batch with something to say about single messages gets a frame of its own, for `rejected` belongs to the batch
 * that `request_id` names.
 */
export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  readonly #newest = new Map<string, StreamAcks[number]>();
  #last: MessageBatch | undefined;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** Notes a batch that is on disk. The frame goes out when the whole commit was noted. */
  add(batch: MessageBatch, stored: StoredBatch, rejected: readonly Rejection[]): void {
    const { epoch, lane } = batch.data;
    // Every promise of a commit settles before a microtask that one of them begins.
    if (this.#last === undefined) queueMicrotask(() => this.flush());
    this.#last = batch;
    this.#newest.set(`${epoch}/${lane}`, { epoch, lane, acked_through: stored.ackedThrough });
    // What comes behind a hole is sent again, and judged again.
    const told = rejected.filter(({ seq }) => seq <= stored.ackedThrough);
    if (told.length > 0 || stored.expectedSeq !== null) this.flush(told);
    if (stored.expectedSeq !== null) this.#resync(batch, stored.expectedSeq);
  }

  flush(rejected: Rejection[] = []): void {
    const last = this.#last;
    if (last === undefined) return;
    this.#last = undefined;
    const acks = [...this.#newest.values()];
    this.#newest.clear();
    const { send, credit, wallMs } = this.#options;
    const data = { acks, rejected, flow: credit() };
    send({ type: 'batch_ack', timestamp: wallMs(), ...replyTo(last), data });
  }

  #resync(batch: MessageBatch, expectedSeq: number): void {
    const { epoch, lane } = batch.data;
    this.#options.send({
      type: 'resync_required',
      timestamp: this.#options.wallMs(),
      ...replyTo(batch),
      data: { epoch, lane, expected_seq: expectedSeq, reason: 'sequence_gap' },
    });
  }
}
