import type { Load } from './credit.ts';

/** What all clients together have delivered and the store has not committed. */
export class IngestLoad implements Load {
  uncommittedBytes = 0;
  latencyMs = 0;
  clients = 0;
  /** Is told how long every batch took from coming in to its commit, milliseconds. */
  onCommitted: ((latencyMs: number) => void) | undefined;

  received(bytes: number): void {
    this.uncommittedBytes += bytes;
  }

  settled(bytes: number): void {
    this.uncommittedBytes -= bytes;
  }

  /** @param latencyMs from receiving a batch to its commit */
  committed(latencyMs: number): void {
    this.latencyMs = latencyMs;
    this.onCommitted?.(latencyMs);
  }
}
