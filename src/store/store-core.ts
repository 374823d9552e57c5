import type { Database } from 'better-sqlite3';
import { LANES } from '../protocol/lanes.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { addDeadLetter, countDeadLetters } from './dead-letters.ts';
import { openEventRows, upsertEvent } from './event-rows.ts';
import { Outbox } from './outbox.ts';
import { openOutboxFile } from './outbox-file.ts';
import type {
  Args,
  NewRow,
  Operation,
  Outcome,
  Position,
  RawQueue,
  Result,
  SinkPeer,
  StoreCall,
} from './requests.ts';
import { explainedFault, faultOf } from './sqlite-faults.ts';

const SINK = 'ws';
/** Lanes from here on may take so much of the budget; the rest is a reserve for the ones before. */
const FIRST_BULK_LANE = 2;
const BULK_SHARE = 0.75;

export interface StoreCoreOptions {
  readonly dir: string;
  readonly bootId: string;
  readonly budgetBytes: number;
  readonly clock: Clock;
  readonly newEpoch: () => string;
  readonly log: Logger;
}

/** The store without its thread: one file, one connection, groups of calls. */
export class StoreCore {
  readonly #options: StoreCoreOptions;
  #db: Database;
  #outbox: Outbox;
  /** The disk failed, and the connection is of no use. */
  #mustReopen = false;

  /** @throws ApexError as `openOutboxFile` does. */
  constructor(options: StoreCoreOptions) {
    this.#options = options;
    ({ db: this.#db, outbox: this.#outbox } = this.#open(false));
  }

  get position(): Position {
    return this.#outbox.position;
  }

  /** Something is left to write that nobody waits for. */
  get isUntidy(): boolean {
    return this.#outbox.isUntidy;
  }

  /**
   * Answers a group of calls: refused messages are copied before acknowledgements delete them, acknowledgements
   * make room before messages are written, all messages go in one transaction with one fsync, and reading calls
   * see all of it.
   */
  execute(calls: readonly StoreCall[]): Outcome[] {
    const outcomes = new Map<StoreCall, Outcome>();
    this.#writeGroup(calls.filter(isDeadLetter), outcomes);
    for (const call of calls.filter(isAck)) outcomes.set(call, this.#answered(call));
    this.#writeGroup(calls.filter(isWrite), outcomes);
    return calls.map((call) => outcomes.get(call) ?? this.#answered(call));
  }

  /** Writes what acknowledgements left over. False where that failed. */
  tidy(): boolean {
    const outcome = this.#attempt(() => {
      this.#outbox.commit(() => {});
      return null;
    });
    if (!outcome.ok) this.#options.log.warn({ error: outcome.error }, 'outbox not tidied');
    return outcome.ok;
  }

  /** Closes in good order: the log is moved into the file, the epoch marked as cleanly ended. */
  close(): void {
    try {
      if (this.#mustReopen) return;
      while (this.#outbox.isUntidy) this.#outbox.commit(() => {});
      this.#outbox.endEpoch();
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      this.#db.close();
    }
  }

  #open(isSuspect: boolean): { db: Database; outbox: Outbox } {
    const { dir, budgetBytes, clock, log } = this.#options;
    const db = openOutboxFile({ dir, budgetBytes, wallMs: clock.wallMs(), isSuspect, log });
    try {
      return { db, outbox: new Outbox(db, this.#newEpoch()) };
    } catch (error) {
      db.close();
      // A file that was closed in good order is not read through at first.
      if (!isSuspect && faultOf(error) === 'damaged') return this.#open(true);
      throw explainedFault(error);
    }
  }

  #newEpoch() {
    const { bootId, clock, newEpoch } = this.#options;
    return { epoch: newEpoch(), bootId, wallMs: clock.wallMs(), monoMs: clock.monotonicMs() };
  }

  #writeGroup(calls: readonly WriteCall[], outcomes: Map<StoreCall, Outcome>): void {
    if (calls.length === 0) return;
    const together = this.#attempt(() => this.#commit(calls));
    // One call that cannot be written must not take its neighbours along.
    const isAll = together.ok || calls.length === 1 || this.#mustReopen;
    for (const call of calls)
      outcomes.set(call, isAll ? together : this.#attempt(() => this.#commit([call])));
  }

  #answered(call: StoreCall): Outcome {
    return this.#attempt(() => this.#answer(call));
  }

  #commit(calls: readonly WriteCall[]): null {
    this.#outbox.commit(() => {
      for (const call of calls) this.#write(call);
    });
    return null;
  }

  #write(call: WriteCall): void {
    switch (call.op) {
      case 'write':
        this.#assertRoom(call.rows);
        for (const row of call.rows) this.#outbox.insert(row);
        if (call.event !== null) upsertEvent(this.#db, call.event);
        return;
      case 'deadLetter':
        this.#bury(call);
        return;
      case 'poison': {
        const { lane, seq } = call.rejection;
        this.#bury({ rejections: [call.rejection] });
        this.#outbox.declareLost(lane, seq, 'poison');
        return;
      }
      case 'savePeer':
        this.#db
          .prepare(
            `INSERT INTO sink_peer(sink, store_id, session_token) VALUES (?, ?, ?)
             ON CONFLICT(sink) DO UPDATE SET store_id = excluded.store_id,
               session_token = excluded.session_token`,
          )
          .run(SINK, call.storeId, call.sessionToken);
    }
  }

  /** Detections and states must not fill the file until events and alerts find no room. */
  #assertRoom(rows: readonly NewRow[]): void {
    if (!rows.some(({ lane }) => lane >= FIRST_BULK_LANE)) return;
    if (this.#usedBytes() > this.#options.budgetBytes * BULK_SHARE)
      throw new ApexError('STORE_FULL', 'what is left of the outbox is kept for events and alerts');
  }

  #usedBytes(): number {
    const pages = Number(this.#db.pragma('page_count', { simple: true }));
    const free = Number(this.#db.pragma('freelist_count', { simple: true }));
    return (pages - free) * Number(this.#db.pragma('page_size', { simple: true }));
  }

  #bury({ rejections }: Args<'deadLetter'>): void {
    const wallMs = this.#options.clock.wallMs();
    for (const rejection of rejections) {
      const body = this.#outbox.body(rejection.lane, rejection.seq);
      if (body !== null) addDeadLetter(this.#db, { ...rejection, wallMs, body });
    }
  }

  #answer(call: StoreCall): Result<Operation> {
    switch (call.op) {
      case 'ack':
        this.#outbox.ack(call);
        return null;
      case 'renewEpoch':
        this.#outbox.renewEpoch(this.#newEpoch());
        return null;
      case 'read':
        return this.#read(call);
      case 'streams':
        return this.#outbox.streams(call.limit);
      case 'queue':
        return this.#queue();
      case 'peer':
        return this.#peer();
      case 'openEvents':
        return openEventRows(this.#db);
      default:
        throw new Error(`${call.op} is not answered here`);
    }
  }

  #read(call: Args<'read'>): Result<'read'> {
    const batch = this.#outbox.read(call);
    if (batch.damaged.length > 0) {
      const { lane, epoch } = call;
      this.#options.log.error({ lane, epoch, seqs: batch.damaged }, 'outbox rows damaged');
    }
    return batch;
  }

  #queue(): RawQueue {
    return {
      lanes: LANES.map((lane) => this.#outbox.laneQueue(lane)),
      deadLetters: countDeadLetters(this.#db),
      disk: { used: this.#usedBytes(), budget: this.#options.budgetBytes },
    };
  }

  #peer(): SinkPeer | null {
    const peer = this.#db
      .prepare<[string], SinkPeer>(
        `SELECT store_id AS storeId, session_token AS sessionToken FROM sink_peer WHERE sink = ?`,
      )
      .get(SINK);
    return peer ?? null;
  }

  /** Runs `action`; after a fault of the disk once more, over a new connection. */
  #attempt(action: () => Result<Operation>): Outcome {
    if (this.#mustReopen) return this.#retryReopened(action);
    try {
      return { ok: true, result: action() };
    } catch (error) {
      if (!isDiskFault(error)) return failed(error);
      this.#mustReopen = true;
      this.#options.log.error({ reason: reasonOf(error) }, 'outbox reopened after a disk fault');
      return this.#retryReopened(action);
    }
  }

  /**
   * A group whose commit failed may be on disk all the same: repeated, its messages keep their message ids, and
   * the hub takes each once. Where the file cannot be opened either, the next call tries again.
   */
  #retryReopened(action: () => Result<Operation>): Outcome {
    try {
      this.#db.close();
      ({ db: this.#db, outbox: this.#outbox } = this.#open(true));
      this.#mustReopen = false;
    } catch (error) {
      const message = `the outbox could not be opened again: ${reasonOf(error)}`;
      return { ok: false, error: { code: 'STORE_IO', message } };
    }
    try {
      return { ok: true, result: action() };
    } catch (error) {
      this.#mustReopen = isDiskFault(error);
      return failed(error);
    }
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

/** After such a fault the connection must not be used again. */
function isDiskFault(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === 'io' || fault === 'damaged';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failed(error: unknown): Outcome {
  const { code, message } = explainedFault(error);
  return { ok: false, error: { code, message } };
}
