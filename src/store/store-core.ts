import { LANES } from '../protocol/lanes.ts';
import { ApexError, type ErrorCode } from '../system/errors.ts';
import {
  type Backing,
  type BackingOptions,
  type Inheritance,
  legacyOf,
  momentOf,
  NOTHING,
  openInMemory,
  openOnDisk,
} from './backing.ts';
import { addDeadLetter, countDeadLetters, listDeadLetters } from './dead-letters.ts';
import { openEventRows, upsertEvent } from './event-rows.ts';
import { isGapRow } from './held-rows.ts';
import { bytesOf, damagedFiles, deleteDamaged } from './outbox-file.ts';
import type {
  Args,
  NewRow,
  Operation,
  Outcome,
  Position,
  RawQueue,
  Result,
  StoreCall,
  StoreFailure,
} from './requests.ts';
import { readPeer, savePeer } from './sink-peer.ts';
import { explainedFault, faultOf, isDiskUnusable } from './sqlite-faults.ts';

/** The file is tried again after so long while messages are kept in memory; sooner at first. */
const RETRY_MS = [500, 1_000, 2_000, 5_000] as const;
/** Transactions that one call may cost to make room. */
const ROOM_STEPS = 40;
/** A disk with less free room is full. */
const FULL_BYTES = 2 * 1024 * 1024;
/** Rows to give up at once in a full file; fewer where the log has no room for so many. */
const SLICES = [500, 50, 5] as const;
/** One group of calls is written in transactions of about so many bytes, which bounds the log. */
const GROUP_BYTES = 512 * 1024;
const EXPIRE_EVERY_MS = 60_000;
const BALLAST_EVERY_MS = 2_000;
/** Deletions of their own cost an fsync each; mostly they go along with a commit. */
const DELETE_EVERY_MS = 1_000;

export type StoreCoreOptions = BackingOptions;

/** A call whose alerts are neither on disk nor at the hub yet. */
interface Deferred {
  readonly deferred: true;
}
export type CoreOutcome = Outcome | Deferred;

interface Owed {
  readonly call: StoreCall;
  /** Last number of its alerts in memory, in the epoch that it was taken in. */
  readonly through: number;
}

/** The store without its thread: one file, one connection, groups of calls. */
export class StoreCore {
  readonly #options: StoreCoreOptions;
  #backing: Backing;
  /** Why there is no file; null while there is. */
  #fault: StoreFailure | null = null;
  #retries = 0;
  #retryAtMs = 0;
  #owed: Owed[] = [];
  #expiredAtMs = Number.NEGATIVE_INFINITY;
  #tidiedAtMs = Number.NEGATIVE_INFINITY;
  #ballastAtMs = Number.NEGATIVE_INFINITY;

  /**
   * A disk that fails or is full does not keep the store from starting: it begins in memory.
   * @throws ApexError STORE_LOCKED, STORE_UNREADABLE, STORE_NEWER, STORE_NOT_DURABLE
   */
  constructor(options: StoreCoreOptions) {
    this.#options = options;
    try {
      this.#backing = openOnDisk(options, null);
    } catch (error) {
      if (!isDiskUnusable(error)) throw error;
      this.#backing = openInMemory(options, NOTHING);
      this.#noteFault(error);
    }
  }

  get position(): Position {
    return this.#backing.outbox.position;
  }

  /** Something is to be written, deleted or tried that nobody waits for. */
  get isUntidy(): boolean {
    const { outbox } = this.#backing;
    return outbox.hasHeld || outbox.isUntidy || this.#backing.mode === 'memory';
  }

  /** What is untidy cannot wait for a commit of others. */
  get isPressing(): boolean {
    const { outbox, mode, room } = this.#backing;
    return outbox.hasHeld || mode === 'memory' || room.isCrowded;
  }

  /** Calls that were deferred and are now taken: on disk, or at the hub. */
  settled(): StoreCall[] {
    const { ackedSeq } = this.#backing.outbox.lane(0);
    const isSettled = ({ through }: Owed): boolean =>
      this.#backing.mode === 'disk' || through <= ackedSeq;
    const settled = this.#owed.filter(isSettled).map(({ call }) => call);
    this.#owed = this.#owed.filter((owed) => !isSettled(owed));
    return settled;
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
    if (this.#backing.mode === 'memory') this.#tryDisk();
    const outcome = this.#attempt(() => {
      const { outbox } = this.#backing;
      const at = this.#now();
      this.#keepHeldSmall();
      const isDeletionDue = at.monoMs - this.#tidiedAtMs >= DELETE_EVERY_MS;
      const isSpillDue = !this.#isDiskLow() && outbox.isSpillDue(at.monoMs);
      if (isSpillDue || (isDeletionDue && outbox.isUntidy)) {
        this.#tidiedAtMs = at.monoMs;
        this.#commit(() => {});
      }
      this.#makeRoom(4);
      this.#expire();
      this.#careForDisk();
      return null;
    });
    if (!outcome.ok) this.#options.log.warn({ error: outcome.error }, 'outbox not tidied');
    return outcome.ok;
  }

  /** Closes in good order: the log is moved into the file, the epoch marked as cleanly ended. */
  close(): void {
    if (this.#backing.mode === 'memory') this.#tryDisk(true);
    const { outbox, db, mode } = this.#backing;
    try {
      if (mode === 'memory') {
        const lost = LANES.map((lane) => outbox.laneQueue(lane).depth);
        this.#options.log.error({ lanes: lost }, 'outbox closed without a disk: messages are lost');
        return;
      }
      outbox.endEpoch(this.#now());
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
  }

  #writeGroup(calls: readonly WriteCall[], outcomes: Map<StoreCall, CoreOutcome>): void {
    if (calls.length === 0) return;
    const together = this.#attempt(() => this.#writeAll(calls));
    // One call that cannot be written must not take its neighbours along.
    const isAll = together.ok || calls.length === 1;
    for (const call of calls) {
      const outcome = isAll ? together : this.#attempt(() => this.#writeAll([call]));
      outcomes.set(call, outcome.ok ? this.#owing(call, outcome) : outcome);
    }
    this.#attempt(() => this.#makeRoom(2));
  }

  /** Without a disk, an alert is taken only when the hub has it. */
  #owing(call: WriteCall, outcome: Outcome): CoreOutcome {
    const hasAlert = call.op === 'write' && call.rows.some(({ lane }) => lane === 0);
    if (this.#backing.mode === 'disk' || !hasAlert) return outcome;
    this.#owed.push({ call, through: this.#backing.outbox.lane(0).nextSeq - 1 });
    return { deferred: true };
  }

  #answered(call: StoreCall): Outcome {
    return this.#attempt(() => this.#answer(call));
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
    this.#commit(() => {
      for (const call of calls) this.#write(call);
    });
    return null;
  }

  #putAll(rows: readonly NewRow[], monoMs: number): void {
    for (const row of rows) this.#backing.outbox.put(row, monoMs);
  }

  /** Commits; in a full file or on a full disk after making room. */
  #commit(change: () => void): void {
    const { outbox } = this.#backing;
    const isLow = this.#isDiskLow();
    for (let step = 0; ; step++) {
      try {
        outbox.commit(this.#now(), change, isLow ? 'none' : 'due');
        return;
      } catch (error) {
        if (faultOf(error) !== 'full' || step >= ROOM_STEPS || !this.#makeRoomAtOnce()) throw error;
      }
    }
  }

  /** Others have nearly filled the disk: what is left is for alerts and events. */
  #isDiskLow(): boolean {
    return this.#backing.disk?.isLow(this.#nowMs()) ?? false;
  }

  /** A write failed for want of room: the ballast goes first, then what matters least, then bodies shrink. */
  #makeRoomAtOnce(): boolean {
    const { room, disk, db } = this.#backing;
    const free = disk?.free(this.#nowMs()) ?? null;
    // A full budget leaves room on the disk, and then the ballast is of no help.
    const isDiskFull = disk !== null && (free === null || free < FULL_BYTES || !room.isFull);
    const isSpent = isDiskFull && disk.spendBallast();
    if (isDiskFull && !isSpent && this.#deleteDamaged()) return true;
    const at = this.#now();
    const isMade =
      SLICES.some((rows) => ignoringFull(() => room.giveUpSome(at, rows))) ||
      ignoringFull(() => room.deflateAlerts(at));
    if (isDiskFull) ignoringFull(() => db.pragma('wal_checkpoint(TRUNCATE)') !== null);
    return isMade || isSpent;
  }

  /** Gives up what is above the marks, in so many steps at most. */
  #makeRoom(steps: number): null {
    const { room } = this.#backing;
    for (let step = 0; step < steps && (room.isCrowded || this.#isShort()); step++)
      if (!room.giveUpSome(this.#now()) && !room.deflateAlerts(this.#now())) break;
    return null;
  }

  /** On a full disk without ballast alerts live on pages that were used before: some must be free at any time. */
  #isShort(): boolean {
    const { disk, room } = this.#backing;
    if (disk === null || disk.hasBallast || !this.#isDiskLow()) return false;
    return room.freeBytes < disk.fullBallastBytes;
  }

  /** What the disk does not take must not fill the memory. */
  #keepHeldSmall(): void {
    if (!this.#isDiskLow()) return;
    for (const lane of LANES) this.#backing.outbox.lane(lane).evictHeld('disk_budget');
  }

  #expire(): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#expiredAtMs < EXPIRE_EVERY_MS) return;
    this.#expiredAtMs = nowMs;
    while (this.#backing.room.expireSome(this.#now())) {}
  }

  #careForDisk(): void {
    const { disk } = this.#backing;
    const nowMs = this.#nowMs();
    if (disk === null || nowMs - this.#ballastAtMs < BALLAST_EVERY_MS) return;
    this.#ballastAtMs = nowMs;
    if (disk.isLow(nowMs)) this.#deleteDamaged();
    else disk.restoreBallast(nowMs);
  }

  /** Damaged files are kept for a person to look at, until their room is needed. */
  #deleteDamaged(): boolean {
    const [oldest] = damagedFiles(this.#options.dir);
    if (oldest === undefined) return false;
    this.#options.log.error(
      { file: oldest, bytes: bytesOf(oldest) },
      'damaged outbox deleted for room',
    );
    deleteDamaged(oldest);
    return true;
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
        outbox.lane(lane).declareLost(seq, 'poison', this.#now());
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
      case 'openEvents':
        return openEventRows(db);
      default:
        throw new Error(`${call.op} is not answered here`);
    }
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
      fault: this.#fault,
      damagedFiles: damagedFiles(dir).length,
    };
  }

  /** Runs `action`; after a fault of the disk once more over a new connection, and then in memory. */
  #attempt(action: () => Result<Operation>): Outcome {
    try {
      return { ok: true, result: action() };
    } catch (error) {
      if (!isDiskFault(error) || this.#backing.mode === 'memory') return failed(error);
      this.#options.log.error({ reason: reasonOf(error) }, 'outbox reopened after a disk fault');
    }
    return this.#attemptReopened(action);
  }

  #attemptReopened(action: () => Result<Operation>): Outcome {
    // As far as the old connection still gives it.
    const inherited = legacyOf(this.#backing, this.#options.log);
    try {
      this.#reopen();
    } catch (error) {
      this.#goToMemory(error, inherited);
    }
    try {
      return { ok: true, result: action() };
    } catch (error) {
      if (!isDiskFault(error) || this.#backing.mode === 'memory') return failed(error);
      this.#goToMemory(error, legacyOf(this.#backing, this.#options.log));
    }
    try {
      return { ok: true, result: action() };
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * A failed fsync is never repeated on the same file: the kernel may have marked the pages clean
   * (wiki.postgresql.org/wiki/Fsync_Errors). A group whose commit failed may be on disk all the same: repeated, its
   * messages keep their message ids, and the hub takes each once.
   */
  #reopen(): void {
    const held = this.#backing.outbox.heldMessages();
    closeQuietly(this.#backing);
    this.#backing = openOnDisk(this.#options, { ...NOTHING, rows: held });
  }

  #goToMemory(error: unknown, inherited: Inheritance): void {
    closeQuietly(this.#backing);
    this.#backing = openInMemory(this.#options, inherited);
    this.#noteFault(error);
  }

  #noteFault(error: unknown): void {
    const root = error instanceof ApexError ? (error.cause ?? error) : error;
    const code = faultOf(root) === 'full' ? 'STORE_FULL' : 'STORE_IO';
    const message = reasonOf(root);
    this.#fault = { code, message };
    this.#retries = 0;
    this.#retryAtMs = this.#nowMs() + RETRY_MS[0];
    this.#options.log.error(
      { code, reason: message },
      'outbox cannot be written: messages are kept in memory and sent from there',
    );
  }

  /** Goes back to the file where it can be written again, with everything that was taken meanwhile. */
  #tryDisk(isLast = false): void {
    if (!isLast && this.#nowMs() < this.#retryAtMs) return;
    try {
      const inherited = legacyOf(this.#backing, this.#options.log);
      const backing = openOnDisk(this.#options, inherited);
      closeQuietly(this.#backing);
      this.#backing = backing;
      this.#fault = null;
      this.#options.log.warn({ messages: inherited.rows.length }, 'outbox is on disk again');
    } catch (error) {
      const step = Math.min(++this.#retries, RETRY_MS.length - 1);
      this.#retryAtMs = this.#nowMs() + (RETRY_MS[step] ?? 5_000);
      this.#options.log.debug({ reason: reasonOf(error) }, 'outbox still cannot be written');
    }
  }

  #newEpoch() {
    const { bootId, newEpoch } = this.#options;
    return { epoch: newEpoch(), bootId, ...this.#now() };
  }

  #now() {
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

/** After such a fault the connection must not be used again. */
function isDiskFault(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === 'io' || fault === 'damaged';
}

function ignoringFull(step: () => boolean): boolean {
  try {
    return step();
  } catch (error) {
    if (faultOf(error) === 'full') return false;
    throw error;
  }
}

function closeQuietly({ db }: Backing): void {
  try {
    db.close();
  } catch {
    // Its disk is gone, and so is what it could say.
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failed(error: unknown): Outcome {
  const { code, message }: { code: ErrorCode; message: string } = explainedFault(error);
  return { ok: false, error: { code, message } };
}
