import type { Lane } from '../../protocol/lanes.ts';
import type { OutboxBatch } from '../../store/outbox/outbox-rows.ts';
import type { Logger } from '../../system/logger.ts';
import type { BatchInFlight, Room } from '../sending/window.ts';
import type { UplinkStore } from '../uplink-store.ts';
import { minimalAlert } from './minimal-alert.ts';

/** Refusals of one message alone after which it is given up. */
const POISON_REFUSALS = 3;
/** Connections in a row that end over the same messages before these go one by one. */
const COMPANY_ENDINGS = 3;
/** Connections in a row that end over one message alone, and over nothing else, before it is given up. */
const ALONE_ENDINGS = 5;
/** The error code of a hub that cannot read a frame; other refusals are not about the messages in it. */
const UNREADABLE = 'invalid_frame';

interface Suspicion {
  readonly epoch: string;
  /** Last number that was sent along; behind it nothing is suspected. */
  readonly through: number;
  /** `singly`: one message a batch; `alone`: and with nothing else in flight. */
  readonly mode: 'company' | 'singly' | 'alone';
  /** Everything up to here was acknowledged: the counts are about the message that comes next. */
  readonly position: number;
  readonly refusals: number;
  readonly endings: number;
  readonly aloneEndings: number;
  /** The next trial does not wait for evidence. */
  readonly isBlind: boolean;
}

const NO_COUNTS = { refusals: 0, endings: 0, aloneEndings: 0, isBlind: false };

/** What showed, before a message went out alone, that the hub was well without it. */
export type Evidence = 'none' | 'heartbeat' | 'batch';

/** How a session ended, as far as it can be a message's doing. */
export interface SessionRuin {
  /** `passing`: the hub restarts, is busy, or the end has a reason of its own. */
  readonly how: 'crash' | 'timeout' | 'passing';
  readonly reason: string;
  readonly inFlight: readonly BatchInFlight[];
  /** Evidence for the message that was sent alone; null where none was. */
  readonly alone: Evidence | null;
}

interface Place {
  readonly epoch: string;
  readonly lane: Lane;
  readonly sentThrough: number;
}

/**
 * Finds the message that the hub cannot take, over several connections, so that it never holds up its lane for
 * ever. Two kinds of signs are followed. A hub may say that it cannot read a batch: its messages then go one by
 * one, and one that is refused alone three times is given up. Or the connection ends, again and again, while the
 * same messages wait for their acknowledgement: each then goes alone, with nothing else in flight, and is given up
 * after five ends in a row; only those count where the hub had acknowledged another batch on that very connection, so
 * that no hub that is away, starts again, is stuck or dies over everything makes poison of an alert.
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
  limits(place: Place, { maxItems, maxBytes }: Room): Room {
    return { maxItems: this.#modeAt(place) === 'company' ? maxItems : 1, maxBytes };
  }

  /** Whether the next message of the lane has to go alone on the whole connection. */
  needsTrial(place: Place): boolean {
    return this.#modeAt(place) === 'alone';
  }

  isBlind(lane: Lane): boolean {
    return this.#lanes.get(lane)?.isBlind === true;
  }

  /** Takes note of a refused batch. False where the refusal says nothing about its messages. */
  onRefused(batch: BatchInFlight, { code, message }: { code: string; message: string }): boolean {
    if (code !== UNREADABLE) return false;
    const { mode, refusals: before } = this.#of(batch);
    const refusals = batch.only === null ? 0 : before + 1;
    this.#note(batch, { refusals, mode: mode === 'alone' ? 'alone' : 'singly' });
    if (refusals >= POISON_REFUSALS) this.#giveUp(batch, message);
    return true;
  }

  /** Takes note of what was in flight when an accepted session ended. */
  onEnded({ how, reason, inFlight, alone }: SessionRuin): void {
    if (how === 'passing') return;
    const firsts = inFlight.filter(
      ({ lane }, index) => inFlight.findIndex((batch) => batch.lane === lane) === index,
    );
    if (alone !== null) {
      for (const batch of firsts) this.#onAloneEnding(batch, reason, alone);
      return;
    }
    // The evidence did not come in time: on a link that holds for moments only, waiting would never end.
    for (const [lane, suspicion] of this.#lanes)
      this.#lanes.set(lane, { ...suspicion, isBlind: suspicion.mode === 'alone' });
    for (const batch of firsts) {
      const { mode, endings: before } = this.#of(batch);
      const endings = before + 1;
      this.#note(batch, { endings, mode: endings >= COMPANY_ENDINGS ? 'alone' : mode });
    }
  }

  #onAloneEnding(batch: BatchInFlight, reason: string, alone: Evidence): void {
    // A hub whose disk is stuck, or that dies over whatever it stores, answers heartbeats all the same.
    const aloneEndings = this.#of(batch).aloneEndings + (alone === 'batch' ? 1 : 0);
    this.#note(batch, { aloneEndings, isBlind: false });
    if (aloneEndings >= ALONE_ENDINGS) this.#giveUp(batch, reason);
  }

  #note(batch: BatchInFlight, change: Partial<Suspicion>): void {
    const before = this.#of(batch);
    const through = Math.max(before.through, batch.through);
    this.#lanes.set(batch.lane, { ...before, through, ...change });
  }

  /** The suspicion that a batch falls under, with counts about the message that it begins with. */
  #of({ epoch, lane, afterSeq: position }: BatchInFlight): Suspicion {
    const suspicion = this.#lanes.get(lane);
    if (suspicion?.epoch !== epoch || position >= suspicion.through)
      return { epoch, through: 0, mode: 'company', position, ...NO_COUNTS };
    return suspicion.position === position ? suspicion : { ...suspicion, position, ...NO_COUNTS };
  }

  #modeAt({ epoch, lane, sentThrough }: Place): Suspicion['mode'] {
    const suspicion = this.#lanes.get(lane);
    const isInReach = suspicion?.epoch === epoch && sentThrough < suspicion.through;
    return isInReach ? suspicion.mode : 'company';
  }

  #giveUp({ lane, epoch, only }: BatchInFlight, reason: string): void {
    if (only === null) return;
    const { seq } = only;
    this.#log.error({ lane, epoch, seq, reason }, 'message given up as poison');
    const envelope = only.type === 'alert_triggered' ? minimalAlert(only, reason) : null;
    // In this order, so that a crash in between tells the alert twice rather than not at all.
    const steps = [
      ...(envelope === null ? [] : [this.#store.enqueue([envelope])]),
      this.#store.poison({ lane, seq, code: 'poison', reason }),
    ];
    Promise.all(steps).catch((error: unknown) =>
      this.#log.error({ err: error, lane }, 'poison not put aside'),
    );
  }
}

/** The only message of a batch, declared gaps aside; null where it has none or several. */
export function onlyMessage({ items }: OutboxBatch): BatchInFlight['only'] {
  const messages = items.filter((item) => item.kind === 'message');
  const [message] = messages;
  return message !== undefined && messages.length === 1 ? message : null;
}
