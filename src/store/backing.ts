import { existsSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { LANES, type Lane } from '../protocol/lanes.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { DiskRoom, type Shares, sharesOf } from './file/disk-room.ts';
import { MEMORY_BYTES, openOutboxFile, openOutboxInMemory } from './file/outbox-file.ts';
import { salvageOutbox } from './file/salvage.ts';
import { explainedFault, faultOf } from './file/sqlite-faults.ts';
import { uncleanEpochSince } from './outbox/epochs.ts';
import { openEventRows, upsertEvent } from './outbox/event-rows.ts';
import type { Durability } from './outbox/lane-class.ts';
import { type Moment, momentOf } from './outbox/moment.ts';
import { Outbox } from './outbox/outbox.ts';
import { RoomMaker } from './outbox/room-maker.ts';
import type { EventRow, NewRow, SinkPeer } from './requests.ts';
import { readPeer, savePeer } from './sink-peer.ts';

/** Rows that one transaction moves from one outbox to another. */
const MOVED_ROWS = 200;
/** systemd-timesyncd and chrony's wait service leave it once the clock is set. */
const TIME_IS_SET = '/run/systemd/timesync/synchronized';

export interface BackingOptions {
  readonly dir: string;
  readonly bootId: string;
  readonly budgetBytes: number;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly newEpoch: () => string;
  readonly log: Logger;
}

/** What an outbox that can no longer be written leaves behind. */
export interface Inheritance {
  readonly rows: readonly NewRow[];
  readonly events: readonly EventRow[];
  /** What an outbox in memory had given up, by lane; its own numbers go with it. */
  readonly lost: readonly Lost[];
  /** Without it a hub takes this edge for a copy of itself. */
  readonly peer: SinkPeer | null;
}

export const NOTHING: Inheritance = { rows: [], events: [], lost: [], peer: null };

/** What came before a file is opened. */
export interface Before {
  /** Of the outbox that was in use; null where there was none. */
  readonly inherited: Inheritance | null;
  /** This daemon has not had the file open yet: what a crash took is still to be declared. */
  readonly isFirst: boolean;
}

/** Messages of one lane that were given up. */
interface Lost {
  readonly lane: Lane;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** An open outbox: over the file, or in memory where no file can be written. */
export interface Backing {
  readonly mode: 'disk' | 'memory';
  readonly db: Database;
  readonly outbox: Outbox;
  readonly room: RoomMaker;
  /** Null in memory. */
  readonly disk: DiskRoom | null;
}

/**
 * Opens the file of the folder, begins an epoch, and declares what is missing: after a crash what was only in
 * memory, after damage what could not be salvaged.
 * @throws ApexError as `openOutboxFile` does
 */
export function openOnDisk(options: BackingOptions, after: Before): Backing {
  return open(options, after, after.inherited !== null);
}

function open(options: BackingOptions, after: Before, isSuspect: boolean): Backing {
  const { inherited, isFirst } = after;
  const { dir, budgetBytes, clock, log } = options;
  const wallMs = clock.wallMs();
  const { db, damaged } = openOutboxFile({ dir, budgetBytes, wallMs, isSuspect, log });
  try {
    const uncleanSince = uncleanEpochSince(db);
    const shares = sharesOf(budgetBytes);
    const backing = backingOver(options, db, { mode: 'disk', ...shares });
    const { outbox } = backing;
    if (damaged !== null) salvage(backing, damaged, options);
    else if (isFirst && uncleanSince !== null)
      declareUnclean(outbox, uncleanSince, momentOf(clock));
    inherit(backing, inherited ?? NOTHING, clock);
    const disk = new DiskRoom(dir, shares.ballast, log);
    disk.restoreBallast(clock.monotonicMs());
    return { ...backing, disk };
  } catch (error) {
    db.close();
    // A file that was closed in good order is not read through at first.
    if (!isSuspect && faultOf(error) === 'damaged') return open(options, after, true);
    throw error instanceof ApexError ? error : explainedFault(error);
  }
}

/** The same outbox in memory, with what is left of the one before. */
export function openInMemory(options: BackingOptions, inherited: Inheritance): Backing {
  const db = openOutboxInMemory();
  const backing = backingOver(options, db, {
    mode: 'memory',
    ...sharesOf(MEMORY_BYTES),
    main: MEMORY_BYTES,
  });
  inherit(backing, inherited, options.clock);
  return { ...backing, disk: null };
}

function backingOver(
  options: BackingOptions,
  db: Database,
  { mode, main: mainBytes, held: heldBytes }: Shares & { mode: Backing['mode'] },
): Omit<Backing, 'disk'> {
  const { bootId, clock, newEpoch, durability } = options;
  const epoch = { epoch: newEpoch(), bootId, ...momentOf(clock) };
  const outbox = new Outbox(db, { epoch, durability, heldBytes });
  const bootOf = db
    .prepare<[number], string>('SELECT boot_id FROM epoch WHERE epoch_id = ?')
    .pluck();
  const room = new RoomMaker({
    db,
    outbox,
    mainBytes,
    reason: mode === 'disk' ? 'disk_budget' : 'storage_failure',
    isSameBoot: (epochId) => bootOf.get(epochId) === bootId,
    isWallTrusted: () => existsSync(TIME_IS_SET),
  });
  return { mode, db, outbox, room };
}

/** Takes over messages and events of another outbox, under new numbers; by its message id the hub knows each. */
function inherit(
  { outbox, db }: Pick<Backing, 'outbox' | 'db'>,
  { rows, events, lost, peer }: Inheritance,
  clock: Clock,
): void {
  const at = momentOf(clock);
  if (lost.length > 0)
    outbox.commit(at, () => {
      for (const { lane, ...gap } of lost)
        outbox.declareMissing(lane, { ...gap, reason: 'storage_failure' }, at.monoMs);
    });
  for (let from = 0; from < rows.length; from += MOVED_ROWS) {
    outbox.commit(at, () => {
      for (const row of rows.slice(from, from + MOVED_ROWS)) outbox.put(row, at.monoMs);
    });
  }
  if (events.length === 0 && peer === null) return;
  outbox.commit(momentOf(clock), () => {
    for (const event of events) upsertEvent(db, event);
    if (peer !== null) savePeer(db, peer);
  });
}

/** Everything of an outbox that must not go with it, as far as it can still be read. */
export function legacyOf({ outbox, db, mode }: Backing, log: Logger): Inheritance {
  const rows: NewRow[] = [];
  for (const lane of LANES) {
    // What is on a disk that fails is read again when it is back. Alerts are sent from memory meanwhile, as many as
    // it takes easily; the hub knows them by their ids when they come again.
    if (mode === 'disk' && lane > 0) continue;
    try {
      let bytes = 0;
      for (const row of outbox.unacknowledged(lane)) {
        bytes += row.body.length;
        if (mode === 'disk' && bytes > MEMORY_BYTES / 4) break;
        rows.push(row);
      }
    } catch (error) {
      log.error({ lane, reason: explainedFault(error).message }, 'outbox cannot be read either');
    }
  }
  const held = mode === 'disk' ? outbox.heldMessages() : [];
  return {
    rows: [...rows, ...held],
    events: readable(() => openEventRows(db)) ?? [],
    lost: mode === 'memory' ? LANES.flatMap((lane) => lostOf(outbox, lane)) : [],
    peer: readable(() => readPeer(db)),
  };
}

function lostOf(outbox: Outbox, lane: Lane): Lost[] {
  const gaps = [...outbox.gaps(lane)];
  if (gaps.length === 0) return [];
  return [
    {
      lane,
      count: gaps.reduce((sum, { count }) => sum + count, 0),
      firstMs: Math.min(...gaps.flatMap(({ first_wall_ms: ms }) => ms ?? [])),
      lastMs: Math.max(...gaps.flatMap(({ last_wall_ms: ms }) => ms ?? [])),
    },
  ];
}

/** What a failing disk does not give is still there when it does. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function declareUnclean(outbox: Outbox, sinceMs: number, at: Moment): void {
  outbox.commit(at, () => {
    for (const lane of LANES) {
      if (!outbox.lane(lane).kind.isHeld) continue;
      const gap = {
        count: 0,
        reason: 'unclean_shutdown',
        firstMs: sinceMs,
        lastMs: at.wallMs,
      } as const;
      outbox.declareMissing(lane, gap, at.monoMs);
    }
  });
}

function salvage(
  backing: Pick<Backing, 'outbox' | 'db'>,
  path: string,
  options: BackingOptions,
): void {
  const { clock, log } = options;
  const at = momentOf(clock);
  backing.outbox.commit(at, () => {
    for (const lane of LANES) {
      const gap = {
        count: 0,
        reason: 'storage_corruption',
        firstMs: at.wallMs,
        lastMs: at.wallMs,
      } as const;
      backing.outbox.declareMissing(lane, gap, at.monoMs);
    }
  });
  const { rows, isPartial } = salvageOutbox(path, () => clock.monotonicMs());
  inherit(backing, { ...NOTHING, rows }, clock);
  log.warn({ messages: rows.length, is_partial: isPartial }, 'messages salvaged');
}
