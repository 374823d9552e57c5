import { LANES } from '../protocol/lanes.ts';
import { ApexError } from '../system/errors.ts';
import type { Backing, BackingOptions } from './backing.ts';
import { DeferredCalls } from './deferred-calls.ts';
import { bytesOf, damagedFiles, deleteDamaged, eraseFreeRoom } from './file/outbox-file.ts';
import { Housekeeping } from './housekeeping.ts';
import { addDeadLetter, countDeadLetters, listDeadLetters } from './outbox/dead-letters.ts';
import { eventBodies, listEventRows, openEventRows, upsertEvent } from './outbox/event-rows.ts';
import { forgetInRows } from './outbox/forgetting.ts';
import { isGapRow } from './outbox/held-rows.ts';
import { type Moment, momentOf } from './outbox/moment.ts';
import type {
  Args,
  NewRow,
  Operation,
  Outcome,
  Position,
  RawQueue,
  Result,
  StoreCall,
} from './requests.ts';
import { readPeer, savePeer } from './sink-peer.ts';
import { StoreBacking } from './store-backing.ts';

/** One group of calls is written in transactions of about so many bytes, which bounds the log. */
const GROUP_BYTES = 512 * 1024;

export type StoreCoreOptions = BackingOptions;

/** A call whose alerts are neither on disk nor at the hub yet. */
interface Deferred {
  readonly deferred: true;
}
export type CoreOutcome = Outcome | Deferred;

/** The store without its thread: answers groups of calls over whichever backing is in use. */
export class StoreCore {
  readonly #options: StoreCoreOptions;
  readonly #store: StoreBacking;
  readonly #housekeeping: Housekeeping;
  readonly #deferred = new DeferredCalls();

  /**
   * A disk that fails or is full does not keep the store from starting: it begins in memory.
   * @throws ApexError STORE_LOCKED, STORE_UNREADABLE, STORE_NEWER, STORE_NOT_DURABLE
   */
  constructor(options: StoreCoreOptions) {
    this.#options = options;
    this.#store = new StoreBacking(options);
    this.#housekeeping = new Housekeeping(options, this.#store);
  }

  get position(): Position {
    return this.#backing.outbox.position;
  }

  /** Something is to be written, deleted or tried that nobody waits for. */
  get isUntidy(): boolean {
    const { outbox, disk, mode } = this.#backing;
    const isBallastSpent = disk !== null && !disk.hasBallast;
    return outbox.hasHeld || outbox.isUntidy || mode === 'memory' || isBallastSpent;
  }

  /** What is untidy cannot wait for a commit of others. */
  get isPressing(): boolean {
    const { outbox, mode, room } = this.#backing;
    return outbox.hasHeld || mode === 'memory' || room.isCrowded;
  }

  /** Calls that were deferred and are now taken: on disk, or at the hub. */
  settled(): StoreCall[] {
    const { outbox, mode } = this.#backing;
    return this.#deferred.settle({
      isOnDisk: mode === 'disk',
      ackedSeq: outbox.lane(0).ackedSeq,
    });
  }

  /**
   * Answers a group of calls: refused messages are copied before acknowledgements delete them, acknowledgements
   * make room before messages are written, messages share transactions, and reading calls see all of it.
   */
  execute(calls: readonly StoreCall[]): CoreOutcome[] {
    const outcomes = new Map<StoreCall, CoreOutcome>();
    this.#writeGroup(calls.filter(isDeadLetter), outcomes);
    for (const call of calls.filter(isAck)) outcomes.set(call, this.#answered(call));
    for (const group of groupsOf(calls.filter(isWrite))) this.#writeGroup(group, outcomes);
    return calls.map((call) => outcomes.get(call) ?? this.#answered(call));
  }

  /** Does what is due: writes, deletes, makes room, tries the disk again. False where that failed. */
  tidy(): boolean {
    if (this.#backing.mode === 'memory') this.#store.tryDisk();
    const outcome = this.#store.attempt(() => this.#housekeeping.tidy());
    if (!outcome.ok) this.#options.log.warn({ error: outcome.error }, 'outbox not tidied');
    return outcome.ok;
  }

  /** Closes in good order: everything that waits in memory is written, and the epoch marked as cleanly ended. */
  close(): void {
    // In a full file what is in memory needs room made for it, which the end of the epoch does not do.
    const spilt = this.#store.attempt(() => this.#housekeeping.spill());
    if (!spilt.ok) this.#options.log.warn({ error: spilt.error }, 'outbox not written out');
    this.#store.close();
  }

  get #backing(): Backing {
    return this.#store.current;
  }

  #writeGroup(calls: readonly WriteCall[], outcomes: Map<StoreCall, CoreOutcome>): void {
    if (calls.length === 0) return;
    const together = this.#store.attempt(() => this.#writeAll(calls));
    // One call that cannot be written must not take its neighbours along.
    const isAll = together.ok || calls.length === 1;
    for (const call of calls) {
      const outcome = isAll ? together : this.#store.attempt(() => this.#writeAll([call]));
      outcomes.set(call, outcome.ok ? this.#taken(call, outcome) : outcome);
    }
    this.#store.attempt(() => this.#housekeeping.makeRoom(2));
  }

  /** Without a disk, an alert is taken only when the hub has it. */
  #taken(call: WriteCall, outcome: Outcome): CoreOutcome {
    const hasAlert = call.op === 'write' && call.rows.some(({ lane }) => lane === 0);
    if (this.#backing.mode === 'disk' || !hasAlert) return outcome;
    this.#deferred.add(call, this.#backing.outbox.lane(0).nextSeq - 1);
    return { deferred: true };
  }

  #answered(call: StoreCall): Outcome {
    return this.#store.attempt(() => this.#answer(call));
  }

  #writeAll(calls: readonly WriteCall[]): null {
    const { outbox } = this.#backing;
    const monoMs = this.#nowMs();
    const isOnlyHeld = calls.every(
      (call) => call.op === 'write' && call.event === null && !outbox.isWritten(call.rows),
    );
    if (isOnlyHeld) {
      for (const call of calls) if (call.op === 'write') this.#putAll(call.rows, monoMs);
      return null;
    }
    this.#housekeeping.commit(() => {
      for (const call of calls) this.#write(call);
    });
    return null;
  }

  #putAll(rows: readonly NewRow[], monoMs: number): void {
    for (const row of rows) this.#backing.outbox.put(row, monoMs);
  }

  #write(call: WriteCall): void {
    const { db, outbox } = this.#backing;
    switch (call.op) {
      case 'write':
        this.#putAll(call.rows, this.#nowMs());
        if (call.event !== null) upsertEvent(db, call.event);
        return;
      case 'deadLetter':
        this.#bury(call);
        return;
      case 'poison': {
        const { lane, seq } = call.rejection;
        this.#bury({ rejections: [call.rejection] });
        outbox.lane(lane).losses.declareLost(seq, 'poison', this.#now());
        return;
      }
      case 'savePeer':
        savePeer(db, call);
    }
  }

  #bury({ rejections }: Args<'deadLetter'>): void {
    const { db, outbox } = this.#backing;
    const wallMs = this.#options.clock.wallMs();
    for (const rejection of rejections) {
      const row = outbox.lane(rejection.lane).row(rejection.seq);
      if (row === null || isGapRow(row)) continue;
      addDeadLetter(db, { ...rejection, wallMs, type: row.type, body: row.body });
    }
  }

  #answer(call: StoreCall): Result<Operation> {
    const { db, outbox } = this.#backing;
    switch (call.op) {
      case 'ack':
        outbox.ack(call);
        return null;
      case 'renewEpoch':
        outbox.renewEpoch(this.#newEpoch());
        return null;
      case 'read':
        return this.#read(call);
      case 'streams':
        return outbox.streams(call.limit);
      case 'queue':
        return this.#queue();
      case 'deadLetters':
        return listDeadLetters(db, call.limit);
      case 'peer':
        return readPeer(db);
      case 'listEvents':
        return listEventRows(db, call.afterId, call.limit);
      case 'eventBodies':
        return eventBodies(db, call.eventIds);
      case 'openEvents':
        return openEventRows(db);
      case 'forget':
        return this.#forget(call);
      case 'mentions':
        return forgetInRows(this.#backing, call.person, null);
      default:
        throw new Error(`${call.op} is not answered here`);
    }
  }

  #forget({ person, order }: Args<'forget'>): Result<'forget'> {
    const commit = (change: () => void): void => this.#housekeeping.commit(change);
    this.#housekeeping.spill();
    const forgotten = forgetInRows(this.#backing, person, commit);
    // The file is still as it was, and is read again when the disk is back.
    if (this.#backing.mode === 'memory')
      throw new ApexError('STORE_IO', 'nobody can be forgotten on a disk that cannot be written');
    // Behind all rows that may go out as they were: the hub works it off in this order.
    if (order !== null) commit(() => this.#putAll([order], this.#nowMs()));
    const { dir, log } = this.#options;
    const begunMs = this.#nowMs();
    eraseFreeRoom(this.#backing.db);
    // What is in them cannot be taken out one by one.
    for (const path of damagedFiles(dir)) deleteDamaged(path);
    log.info({ rows: forgotten.rows, took_ms: this.#nowMs() - begunMs }, 'a person was forgotten');
    return forgotten;
  }

  #read(call: Args<'read'>): Result<'read'> {
    const batch = this.#backing.outbox.read(call);
    if (batch.damaged.length > 0) {
      const { lane, epoch } = call;
      this.#options.log.error({ lane, epoch, seqs: batch.damaged }, 'outbox rows damaged');
    }
    return batch;
  }

  #queue(): RawQueue {
    const { outbox, db, disk, room, mode } = this.#backing;
    const { dir, budgetBytes } = this.#options;
    const files = mode === 'disk' ? bytesOf(`${dir}/outbox.db`) + (disk?.ballastBytes ?? 0) : 0;
    return {
      lanes: LANES.map((lane) => outbox.laneQueue(lane)),
      deadLetters: countDeadLetters(db),
      disk: {
        used: mode === 'disk' ? files : room.usedBytes,
        budget: budgetBytes,
        ballast: disk?.hasBallast === true ? 'ready' : 'spent',
        free: disk?.free(this.#nowMs()) ?? null,
      },
      mode,
      fault: this.#store.fault,
      damagedFiles: damagedFiles(dir).length,
    };
  }

  #newEpoch() {
    const { bootId, newEpoch } = this.#options;
    return { epoch: newEpoch(), bootId, ...this.#now() };
  }

  #now(): Moment {
    return momentOf(this.#options.clock);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

type WriteCall = Extract<StoreCall, { op: 'write' | 'deadLetter' | 'poison' | 'savePeer' }>;

function isWrite(call: StoreCall): call is WriteCall {
  return call.op === 'write' || call.op === 'savePeer';
}

function isDeadLetter(call: StoreCall): call is WriteCall {
  return call.op === 'deadLetter' || call.op === 'poison';
}

function isAck(call: StoreCall): boolean {
  return call.op === 'ack';
}

/** Calls that share a transaction. */
function groupsOf(calls: readonly WriteCall[]): WriteCall[][] {
  const groups: WriteCall[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const call of calls) {
    const size = call.op === 'write' ? call.rows.reduce((sum, row) => sum + row.body.length, 0) : 0;
    if (bytes + size > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(call);
    bytes += size;
  }
  return groups;
}
