import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import { LANES, type Lane } from '../protocol/lanes.ts';
import {
  beginEpoch,
  type Epoch,
  type NewEpoch,
  purgeEpochs,
  readEpochs,
  streamsOf,
} from './epochs.ts';
import { type LaneStatements, prepareLane } from './lane-statements.ts';
import { assembleBatch, type OutboxBatch, uuidBytes } from './outbox-rows.ts';
import { ROW_FLAGS } from './outbox-schema.ts';
import type { Args, NewRow, OutboxStreams, Position, RawLaneQueue } from './requests.ts';

/** Acknowledged rows that one transaction deletes; the rest waits for the next. */
const TRIM_ROWS = 512;
const SINK = 'ws';

interface LaneState {
  nextSeq: number;
  ackedSeq: number;
  /** As far as the file knows it. */
  savedAckedSeq: number;
  depth: number;
  bytes: number;
}

/** Rows of the four lanes in the open file. Synchronous, for the one thread that owns the file. */
export class Outbox {
  readonly #db: Database;
  readonly #bootId: string;
  readonly #statements: Record<Lane, LaneStatements>;
  #lanes: LaneState[];
  #epochs: Epoch[] = [];

  constructor(db: Database, epoch: Omit<NewEpoch, 'firstSeq'>) {
    this.#db = db;
    this.#bootId = epoch.bootId;
    this.#statements = {
      0: prepareLane(db, 0),
      1: prepareLane(db, 1),
      2: prepareLane(db, 2),
      3: prepareLane(db, 3),
    };
    this.#lanes = LANES.map((lane) => this.#readLane(lane));
    db.transaction(() => {
      beginEpoch(db, { ...epoch, firstSeq: this.#nextSeqs() });
      purgeEpochs(db, readEpochs(db, epoch.bootId), this.#ackedSeqs());
    }).immediate();
    this.#epochs = readEpochs(db, epoch.bootId);
  }

  get position(): Position {
    return { epoch: this.#current.epoch, nextSeq: this.#nextSeqs() };
  }

  /** There are acknowledgements that the file does not know yet. */
  get isUntidy(): boolean {
    return LANES.some((lane) => this.#isUntidy(lane));
  }

  /** Deletes what is acknowledged and runs `change`, as one transaction that is on disk at its end. */
  commit(change: () => void): void {
    const before = structuredClone(this.#lanes);
    try {
      this.#db
        .transaction(() => {
          // First, because in a full file it makes the room for the change.
          for (const lane of LANES) if (this.#isUntidy(lane)) this.#tidy(lane);
          change();
          this.#saveLanes(before);
        })
        .immediate();
    } catch (error) {
      this.#lanes = before;
      throw error;
    }
  }

  /** To be called within `commit`. */
  insert(row: NewRow): void {
    const lane = this.#lane(row.lane);
    const body = Buffer.from(row.body);
    this.#statements[row.lane].insert.run({
      seq: lane.nextSeq,
      epochId: this.#current.id,
      messageId: uuidBytes(row.messageId),
      type: row.type,
      schemaVersion: row.schemaVersion,
      cameraId: row.cameraId,
      wallMs: Math.round(row.wallMs),
      monoMs: Math.round(row.monoMs),
      bytes: body.length,
      crc32: crc32(body),
      body,
    });
    lane.nextSeq++;
    lane.depth++;
    lane.bytes += body.length;
  }

  /**
   * Takes note that the hub has everything of the stream up to `through`; the file learns it by a later commit.
   * Ignored where an older epoch still holds something in front of the stream: deletion goes by one number per
   * lane, and would take that along.
   */
  ack({ epoch, lane, through }: Args<'ack'>): void {
    const state = this.#lane(lane);
    const first = this.#epochs.find((entry) => entry.epoch === epoch)?.firstSeq[lane] ?? 1;
    const last = this.#lastSeq(epoch, lane);
    if (last === null || through > last || through <= state.ackedSeq) return;
    if (state.ackedSeq < first - 1) return;
    const passed = this.#statements[lane].sum.get(state.ackedSeq, through);
    state.ackedSeq = through;
    state.depth -= passed?.depth ?? 0;
    state.bytes -= passed?.bytes ?? 0;
  }

  read({ epoch, lane, afterSeq, maxItems, maxBytes }: Args<'read'>): OutboxBatch {
    const lastSeq = this.#lastSeq(epoch, lane);
    if (lastSeq === null) return { items: [], through: afterSeq, bytes: 0, damaged: [] };
    const rows = this.#statements[lane].read.iterate(afterSeq, lastSeq, maxItems + 1);
    const { ackedSeq } = this.#lane(lane);
    return assembleBatch(rows, { afterSeq, lastSeq, ackedSeq, maxItems, maxBytes });
  }

  body(lane: Lane, seq: number): Buffer | null {
    return this.#statements[lane].body.get(seq)?.body ?? null;
  }

  /** Puts a declared gap in the place of a message. To be called within `commit`. */
  declareLost(lane: Lane, seq: number, reason: string): void {
    const state = this.#lane(lane);
    const lost = this.body(lane, seq);
    if (lost === null || seq <= state.ackedSeq) return;
    const body = Buffer.from(JSON.stringify({ from_seq: seq, to_seq: seq, count: 1, reason }));
    const [flags, bytes] = [ROW_FLAGS.gap, body.length];
    this.#statements[lane].replace.run({ seq, flags, bytes, crc32: crc32(body), body });
    state.bytes += bytes - lost.length;
  }

  streams(limit: number): OutboxStreams {
    return streamsOf(
      this.#epochs,
      { nextSeq: this.#nextSeqs(), ackedSeq: this.#ackedSeqs() },
      limit,
    );
  }

  laneQueue(lane: Lane): RawLaneQueue {
    const { depth, bytes, ackedSeq, nextSeq } = this.#lane(lane);
    const row = this.#statements[lane].oldest.get(ackedSeq);
    const oldest = row && {
      wallMs: row.wall_ms,
      monoMs: row.mono_ms,
      isSameBoot: row.boot_id === this.#bootId,
    };
    return { depth, bytes, ackedSeq, nextSeq, oldest: oldest ?? null };
  }

  /** Begins a new epoch and takes what the current one still holds along, under the same numbers. */
  renewEpoch(epoch: Omit<NewEpoch, 'firstSeq'>): void {
    const ended = this.#current;
    this.#db
      .transaction(() => {
        const firstSeq = LANES.map((lane) => {
          const { ackedSeq, nextSeq } = this.#lane(lane);
          return Math.min(Math.max(ackedSeq + 1, ended.firstSeq[lane] ?? 1), nextSeq);
        });
        beginEpoch(this.#db, { ...epoch, firstSeq });
        for (const lane of LANES) {
          this.#statements[lane].adopt.run({ ended: ended.id, from: firstSeq[lane] });
        }
      })
      .immediate();
    this.#epochs = readEpochs(this.#db, this.#bootId);
  }

  /** Marks the epoch as ended in good order. */
  endEpoch(): void {
    this.commit(() => {
      this.#db.prepare('UPDATE epoch SET clean_close = 1 WHERE epoch_id = ?').run(this.#current.id);
    });
  }

  get #current(): Epoch {
    const epoch = this.#epochs.at(-1);
    if (epoch === undefined) throw new Error('no epoch');
    return epoch;
  }

  #lane(lane: Lane): LaneState {
    const state = this.#lanes[lane];
    if (state === undefined) throw new Error(`no lane ${lane}`);
    return state;
  }

  #nextSeqs(): number[] {
    return this.#lanes.map((lane) => lane.nextSeq);
  }

  #ackedSeqs(): number[] {
    return this.#lanes.map((lane) => lane.ackedSeq);
  }

  #lastSeq(epoch: string, lane: Lane): number | null {
    const found = this.#epochs.find((entry) => entry.epoch === epoch);
    if (found === undefined) return null;
    return ((found.nextSeq ?? this.#nextSeqs())[lane] ?? 1) - 1;
  }

  #readLane(lane: Lane): LaneState {
    const nextSeq = this.#db
      .prepare<[number], number>('SELECT next_seq FROM lane_state WHERE lane = ?')
      .pluck()
      .get(lane);
    const ackedSeq =
      this.#db
        .prepare<[string, number], number>(
          'SELECT acked_seq FROM sink_cursor WHERE sink = ? AND lane = ?',
        )
        .pluck()
        .get(SINK, lane) ?? 0;
    const left = this.#statements[lane].sum.get(ackedSeq, Number.MAX_SAFE_INTEGER);
    return {
      nextSeq: nextSeq ?? 1,
      ackedSeq,
      savedAckedSeq: ackedSeq,
      depth: left?.depth ?? 0,
      bytes: left?.bytes ?? 0,
    };
  }

  #saveLanes(before: readonly LaneState[]): void {
    for (const lane of LANES) {
      const { nextSeq } = this.#lane(lane);
      if (nextSeq !== before[lane]?.nextSeq)
        this.#db.prepare('UPDATE lane_state SET next_seq = ? WHERE lane = ?').run(nextSeq, lane);
    }
  }

  #isUntidy(lane: Lane): boolean {
    const { ackedSeq, savedAckedSeq } = this.#lane(lane);
    return ackedSeq > savedAckedSeq;
  }

  /** Saves the cursor as far as rows are deleted: what is left of the range waits for the next commit. */
  #tidy(lane: Lane): void {
    const state = this.#lane(lane);
    const from = this.#statements[lane].first.get()?.seq ?? state.ackedSeq;
    const through = Math.min(state.ackedSeq, Math.max(from, state.savedAckedSeq) + TRIM_ROWS);
    this.#statements[lane].trim.run(through);
    this.#db
      .prepare(
        `INSERT INTO sink_cursor(sink, lane, acked_seq) VALUES (?, ?, ?)
         ON CONFLICT(sink, lane) DO UPDATE SET acked_seq = excluded.acked_seq`,
      )
      .run(SINK, lane, through);
    state.savedAckedSeq = through;
  }
}
