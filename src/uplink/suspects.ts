import type { Lane } from '../protocol/lanes.ts';
import type { OutboxBatch } from '../store/outbox-rows.ts';
import type { Logger } from '../system/logger.ts';
import type { UplinkStore } from './uplink-store.ts';
import type { BatchInFlight, Room } from './window.ts';

/** Refusals of one message alone after which it is given up. */
const POISON_REFUSALS = 3;
/** The error code of a hub that cannot read a frame; other refusals are not about the messages in it. */
const UNREADABLE = 'invalid_frame';

interface Suspicion {
  readonly epoch: string;
  /** Last number of the refused batch. */
  readonly through: number;
  /** The message that was refused alone, and how many times in a row. */
  readonly seq: number | null;
  readonly refusals: number;
}

/**
 * Finds the message that makes the hub refuse a whole batch, over several connections: what was refused together
 * is sent one by one, and what is refused alone again and again gives way to a declared gap, so that one message
 * never holds up its lane for ever.
 */
export class Suspects {
  readonly #store: UplinkStore;
  readonly #log: Logger;
  readonly #lanes = new Map<Lane, Suspicion>();

  constructor(store: UplinkStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** What the batch behind `sentThrough` may hold. */
  limits(
    { epoch, lane, sentThrough }: { epoch: string; lane: Lane; sentThrough: number },
    { maxItems, maxBytes }: Room,
  ): Room {
    const suspicion = this.#lanes.get(lane);
    const isSuspect = suspicion?.epoch === epoch && sentThrough < suspicion.through;
    return { maxItems: isSuspect ? 1 : maxItems, maxBytes };
  }

  /** Takes note of a refused batch. False where the refusal says nothing about its messages. */
  onRefused(batch: BatchInFlight, { code, message }: { code: string; message: string }): boolean {
    if (code !== UNREADABLE) return false;
    const { epoch, lane, only } = batch;
    const before = this.#lanes.get(lane);
    const isSame = before?.epoch === epoch;
    const refusals = isSame && only !== null && before.seq === only ? before.refusals + 1 : 1;
    const through = Math.max(batch.through, isSame ? before.through : 0);
    this.#lanes.set(lane, { epoch, through, seq: only, refusals });
    if (only === null || refusals < POISON_REFUSALS) return true;
    this.#log.error({ lane, epoch, seq: only, reason: message }, 'message given up as poison');
    this.#store
      .poison({ lane, seq: only, code: 'poison', reason: message })
      .catch((error: unknown) => this.#log.error({ err: error, lane }, 'poison not put aside'));
    return true;
  }
}

/** Number of the only message of a batch, declared gaps aside; null where it has none or several. */
export function onlyMessage({ items }: OutboxBatch): number | null {
  const [message, ...others] = items.filter(({ kind }) => kind === 'message');
  return message !== undefined && others.length === 0 ? message.seq : null;
}
