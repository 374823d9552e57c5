import type { Database } from 'better-sqlite3';
import type { Gap } from '../../protocol/batch.ts';
import { LANES, type Lane } from '../../protocol/lanes.ts';
import type { Args, NewRow, OutboxStreams, Position, RawLaneQueue } from '../requests.ts';
import {
  beginEpoch,
  type Epoch,
  type NewEpoch,
  purgeEpochs,
  readEpochs,
  streamsOf,
} from './epochs.ts';
import { isGapRow } from './held-rows.ts';
import { classOf, type Durability } from './lane-class.ts';
import type { Moment } from './moment.ts';
import { OutboxLane } from './outbox-lane.ts';
import type { OutboxBatch, OutboxItem } from './outbox-rows.ts';
import { uuidText } from './outbox-rows.ts';

export interface OutboxOptions {
  readonly epoch: Omit<NewEpoch, 'firstSeq'>;
  readonly durability: Durability;
  /** Bytes that a lane may keep in memory before it writes them, which it does in one transaction. */
  readonly heldBytes: number;
}

/** Rows of the four lanes in the open file. Synchronous, for the one thread that owns the file. */
export class Outbox {
  readonly #db: Database;
  readonly #bootId: string;
  readonly #lanes: readonly OutboxLane[];
  #epochs: Epoch[] = [];

  constructor(db: Database, options: OutboxOptions) {
    const { epoch } = options;
    this.#db = db;
    this.#bootId = epoch.bootId;
    this.#lanes = LANES.map((lane) => new OutboxLane(db, lane, classOf(lane, options)));
    db.transaction(() => {
      beginEpoch(db, { ...epoch, firstSeq: this.#nextSeqs() });
      const epochs = readEpochs(db, epoch.bootId);
      purgeEpochs(db, epochs, (one) => this.#isOfInterest(one));
    }).immediate();
    this.#epochs = readEpochs(db, epoch.bootId);
  }

  get position(): Position {
    return { epoch: this.#current.epoch, nextSeq: this.#nextSeqs() };
  }

  /** There are rows on disk that nobody needs any more. */
  get isUntidy(): boolean {
    return this.#lanes.some((lane) => lane.retention.isUntidy);
  }

  /** Rows in memory have waited long enough, or are too many. */
  isSpillDue(monoMs: number): boolean {
    return this.#lanes.some((lane) => lane.isSpillDue(monoMs));
  }

  /** Rows in memory that wait for their acknowledgement or for being written. */
  get hasHeld(): boolean {
    return this.#lanes.some(({ held }) => held.length > 0);
  }

  lane(lane: Lane): OutboxLane {
    const found = this.#lanes[lane];
    if (found === undefined) throw new Error(`no lane ${lane}`);
    return found;
  }

  /** Whether rows of these lanes go to disk before they count as taken. */
  isWritten(rows: readonly NewRow[]): boolean {
    return rows.some(({ lane }) => !this.lane(lane).kind.isHeld);
  }

  /**
   * Deletes what is acknowledged, runs `change`, writes what has waited in memory, as one transaction that is on
   * disk at its end. Where it fails everything is as before.
   */
  commit(at: Moment, change: () => void, spill: 'due' | 'all' | 'none' = 'due'): void {
    const before = this.#lanes.map((lane) => lane.snapshot());
    try {
      this.#db
        .transaction(() => {
          // First, because in a full file it makes the room for the change.
          for (const lane of this.#lanes) if (lane.retention.isUntidy) lane.retention.tidy(at);
          change();
          for (const lane of this.#lanes) {
            const isDue = spill === 'all' || (spill === 'due' && lane.isSpillDue(at.monoMs));
            if (isDue && lane.held.length > 0) lane.spill(this.#current.id, at);
          }
          this.#save(before);
        })
        .immediate();
    } catch (error) {
      for (const [index, lane] of this.#lanes.entries()) {
        const snapshot = before[index];
        if (snapshot !== undefined) lane.restore(snapshot);
      }
      throw error;
    }
  }

  #save(before: readonly ReturnType<OutboxLane['snapshot']>[]): void {
    for (const [index, lane] of this.#lanes.entries()) {
      const snapshot = before[index];
      if (snapshot !== undefined) lane.save(snapshot);
    }
  }

  /** Takes a message. To be called within `commit` where its lane is written at once. */
  put(row: NewRow, monoMs: number): void {
    this.lane(row.lane).put(row, this.#current.id, monoMs);
  }

  /** Declares in the current epoch that messages of a lane are missing. To be called within `commit`. */
  declareMissing(
    lane: Lane,
    gap: Omit<Parameters<OutboxLane['putGap']>[0], 'isLowerBound'>,
    monoMs: number,
  ): void {
    this.lane(lane).putGap({ ...gap, isLowerBound: true }, this.#current.id, monoMs);
  }

  /**
   * Takes note that the hub has everything of the stream up to `through`; the file learns it by a later commit.
   * Ignored where an older epoch still holds something in front of the stream: deletion goes by one number per
   * lane, and would take that along.
   */
  ack({ epoch, lane, through }: Args<'ack'>): void {
    const state = this.lane(lane);
    const first = this.#epochs.find((entry) => entry.epoch === epoch)?.firstSeq[lane] ?? 1;
    const last = this.#lastSeq(epoch, lane);
    if (last === null || through > last || through <= state.ackedSeq) return;
    if (state.ackedSeq < first - 1) return;
    state.ack(through);
  }

  read({ epoch, lane, afterSeq, maxItems, maxBytes }: Args<'read'>): OutboxBatch {
    const lastSeq = this.#lastSeq(epoch, lane);
    if (lastSeq === null) return { items: [], through: afterSeq, bytes: 0, damaged: [] };
    return this.lane(lane).read({ afterSeq, lastSeq, maxItems, maxBytes });
  }

  streams(limit: number): OutboxStreams {
    return streamsOf(
      this.#epochs,
      {
        nextSeq: this.#nextSeqs(),
        ackedSeq: this.#ackedSeqs(),
        hasRetained: (lane, fromSeq, toSeq) =>
          this.lane(lane).retention.hasRetained(fromSeq, toSeq),
      },
      limit,
    );
  }

  laneQueue(lane: Lane): RawLaneQueue {
    return this.lane(lane).queue((bootId) => bootId === this.#bootId);
  }

  /** Begins a new epoch and takes what the current one still holds along, under the same numbers. */
  renewEpoch(epoch: Omit<NewEpoch, 'firstSeq'>): void {
    const ended = this.#current;
    this.#db
      .transaction(() => {
        const firstSeq = LANES.map((lane) => {
          const { ackedSeq, nextSeq } = this.lane(lane);
          return Math.min(Math.max(ackedSeq + 1, ended.firstSeq[lane] ?? 1), nextSeq);
        });
        beginEpoch(this.#db, { ...epoch, firstSeq });
        for (const lane of LANES) this.lane(lane).adopt(ended.id, firstSeq[lane] ?? 1);
        this.#save(this.#lanes.map((lane) => lane.snapshot()));
      })
      .immediate();
    this.#epochs = readEpochs(this.#db, this.#bootId);
  }

  /** Writes all that is in memory and marks the epoch as ended in good order. */
  endEpoch(at: Moment): void {
    this.commit(
      at,
      () => {
        for (const lane of this.#lanes) lane.retention.saveCursor(at);
        this.#db
          .prepare('UPDATE epoch SET clean_close = 1 WHERE epoch_id = ?')
          .run(this.#current.id);
      },
      'all',
    );
  }

  /** Every message that the hub has not acknowledged, as it was taken; for another outbox to take. */
  *unacknowledged(lane: Lane): Generator<NewRow> {
    for (const item of this.#items(lane)) {
      if (item.kind === 'gap') continue;
      const { messageId, type, schemaVersion, wallMs, monoMs, body, cameraId } = item;
      yield { lane, messageId, type, schemaVersion, cameraId, wallMs, monoMs, body };
    }
  }

  /** What the hub has not been told of that was given up. */
  *gaps(lane: Lane): Generator<Gap> {
    for (const item of this.#items(lane)) if (item.kind === 'gap') yield item.gap;
  }

  *#items(lane: Lane): Generator<OutboxItem> {
    const { ackedSeq, nextSeq } = this.lane(lane);
    let afterSeq = ackedSeq;
    while (afterSeq < nextSeq - 1) {
      const limits = { maxItems: 64, maxBytes: 256 * 1024 };
      const batch = this.lane(lane).read({ afterSeq, lastSeq: nextSeq - 1, ...limits });
      yield* batch.items;
      if (batch.through <= afterSeq) return;
      afterSeq = batch.through;
    }
  }

  /** Messages in memory that were never written, as they were taken. */
  heldMessages(): NewRow[] {
    return this.#lanes.flatMap(({ lane, held }) =>
      held
        .filter((row) => !isGapRow(row))
        .map((row) => ({
          lane,
          messageId: uuidText(row.message_id),
          type: row.type,
          schemaVersion: row.schema_version,
          cameraId: row.camera_id,
          wallMs: row.wall_ms,
          monoMs: row.mono_ms,
          body: row.body.toString('utf8'),
        })),
    );
  }

  get #current(): Epoch {
    const epoch = this.#epochs.at(-1);
    if (epoch === undefined) throw new Error('no epoch');
    return epoch;
  }

  #isOfInterest(epoch: Epoch): boolean {
    return this.#lanes.some((lane) => {
      const first = epoch.firstSeq[lane.lane] ?? 1;
      const next = epoch.nextSeq?.[lane.lane] ?? Number.POSITIVE_INFINITY;
      const isUnacked = next > first && next - 1 > lane.ackedSeq;
      return isUnacked || lane.retention.hasRetained(first, next - 1);
    });
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
}
