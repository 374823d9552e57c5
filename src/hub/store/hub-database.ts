import { randomUUID } from 'node:crypto';
import type { Database, Statement } from 'better-sqlite3';
import type { StreamAck } from '../../protocol/batch.ts';
import { openDatabase } from '../../store/sqlite.ts';
import { type EventFrameFields, eventFrame } from './event-frame.ts';
import { placeBatch } from './placement.ts';
import type {
  ClientRecord,
  EventPage,
  IdentifiedClient,
  ReadEvents,
  StoreBatch,
  StoredBatch,
  StoredItem,
  WriteCall,
} from './requests.ts';
import { EVENT_STATUS, HUB_APPLICATION_ID, HUB_MIGRATIONS } from './schema.ts';

/** One read looks at no more than so many ids, so that commits never wait long behind it. */
const READ_SPAN = 2000;
const READ_ROWS = 256;
const READ_CHARACTERS = 256 * 1024;

type EventRow = Omit<EventFrameFields, 'replayed'> & { replayed: number };

/** The hub's file: everything synchronous, for the one thread that owns it. */
export class HubDatabase {
  readonly storeId: string;
  readonly #db: Database;
  readonly #statements: Statements;
  #lastEventId: number;

  /** @throws ApexError as `openDatabase` does. */
  constructor(path: string, nowMs: number) {
    this.#db = openDatabase(path, {
      applicationId: HUB_APPLICATION_ID,
      migrations: HUB_MIGRATIONS,
    });
    this.#db
      .prepare('INSERT OR IGNORE INTO identity(id, store_id, created_ms) VALUES (1, ?, ?)')
      .run(`hub-${randomUUID()}`, nowMs);
    this.storeId = this.#db.prepare('SELECT store_id FROM identity').pluck().get() as string;
    this.#lastEventId = this.#db
      .prepare('SELECT coalesce(max(event_id), 0) FROM event')
      .pluck()
      .get() as number;
    this.#statements = prepareStatements(this.#db);
  }

  get lastEventId(): number {
    return this.#lastEventId;
  }

  /** By client id of every edge that was ever here: the name of its token. */
  edgeTokens(): ReadonlyMap<string, string> {
    const rows = this.#db
      .prepare<[], { id: string; token: string }>(
        `SELECT client_id AS id, token_name AS token FROM session WHERE client_type = 'ai_engine'`,
      )
      .all();
    return new Map(rows.map(({ id, token }) => [id, token]));
  }

  /** Applies all calls in one transaction: on disk when this returns, nothing changed when it throws. */
  writeGroup(calls: readonly WriteCall[]): (IdentifiedClient | StoredBatch)[] {
    const before = this.#lastEventId;
    try {
      return this.#db
        .transaction(() =>
          calls.map((call) =>
            call.op === 'store' ? this.#store(call.batch) : this.#identify(call.client),
          ),
        )
        .immediate();
    } catch (error) {
      this.#lastEventId = before;
      throw error;
    }
  }

  readEvents({ afterEventId, types, cameras }: ReadEvents): EventPage {
    const lastEventId = this.#lastEventId;
    // A cursor beyond the newest event belongs to another or an older file; start from here on.
    const after = Math.min(afterEventId, lastEventId);
    const spanEnd = Math.min(after + READ_SPAN, lastEventId);
    const rows = this.#statements.read.iterate({
      after,
      spanEnd,
      types: types && JSON.stringify(types),
      cameras: cameras && JSON.stringify(cameras),
    });
    const frames: string[] = [];
    let characters = 0;
    for (const row of rows) {
      const frame = eventFrame({ ...row, replayed: row.replayed !== 0 });
      frames.push(frame);
      characters += frame.length;
      if (frames.length >= READ_ROWS || characters >= READ_CHARACTERS)
        return { frames, throughEventId: row.eventId, lastEventId };
    }
    return { frames, throughEventId: spanEnd, lastEventId };
  }

  /**
   * Lets go of the file. SQLite moves the log into the main file if it can; where it cannot, on a full disk, the
   * next open does.
   */
  close(): void {
    this.#db.close();
  }

  #identify(client: ClientRecord): IdentifiedClient {
    const { streams: listed, ...session } = client;
    const { clientId, connectedMs } = session;
    this.#statements.recordSession.run(session);
    const streams = listed.map((stream): StreamAck => {
      const { epoch, lane, first_seq: firstSeq } = stream;
      const position = { clientId, epoch, lane };
      let acked = this.#statements.ackedThrough.get(position);
      if (acked === undefined) {
        acked = firstSeq - 1;
        this.#advance({ ...position, firstSeq, ackedThrough: acked, nowMs: connectedMs });
      }
      return { epoch, lane, acked_through: acked };
    });
    return { streams };
  }

  #store(batch: StoreBatch): StoredBatch {
    const { clientId, epoch, lane, firstSeq, receivedMs: nowMs } = batch;
    const known = this.#statements.ackedThrough.get({ clientId, epoch, lane });
    const placement = placeBatch(known ?? firstSeq - 1, batch.items);
    const eventIds: number[] = new Array(batch.items.length).fill(0);
    let conflicts = 0;
    for (const { index, item } of placement.accepted) {
      const eventId = this.#insert(batch, item);
      if (eventId === 0) conflicts++;
      eventIds[index] = eventId;
    }
    const { ackedThrough } = placement;
    if (known !== ackedThrough)
      this.#advance({ clientId, epoch, lane, firstSeq, ackedThrough, nowMs });
    return {
      ackedThrough,
      duplicates: placement.duplicates + conflicts,
      expectedSeq: placement.expectedSeq,
      eventIds,
    };
  }

  /** The new event's id, or 0 where its message id is already stored. */
  #insert(batch: StoreBatch, item: StoredItem): number {
    const { changes } = this.#statements.insert.run(
      this.#lastEventId + 1,
      batch.clientId,
      batch.epoch,
      batch.lane,
      item.seq,
      item.messageId === null ? null : Buffer.from(item.messageId.replaceAll('-', ''), 'hex'),
      item.type,
      item.cameraId,
      item.schemaVersion,
      item.deviceMs,
      batch.receivedMs,
      item.replayed ? 1 : 0,
      item.status,
      Buffer.from(item.body),
    );
    if (changes === 0) return 0;
    this.#lastEventId++;
    return this.#lastEventId;
  }

  #advance(state: StreamPosition): void {
    this.#statements.advance.run(state);
  }
}

interface StreamKey {
  clientId: string;
  epoch: string;
  lane: number;
}

interface StreamPosition extends StreamKey {
  firstSeq: number;
  ackedThrough: number;
  nowMs: number;
}

interface ReadBounds {
  after: number;
  spanEnd: number;
  types: string | null;
  cameras: string | null;
}

interface Statements {
  recordSession: Statement<[Omit<ClientRecord, 'streams'>]>;
  ackedThrough: Statement<[StreamKey], number>;
  advance: Statement<[StreamPosition]>;
  insert: Statement<unknown[]>;
  read: Statement<[ReadBounds], EventRow>;
}

function prepareStatements(db: Database): Statements {
  return {
    recordSession: db.prepare(`
      INSERT INTO session(client_id, client_type, token_name, session_token_hash, connected_ms)
      VALUES (:clientId, :clientType, :tokenName, :sessionTokenHash, :connectedMs)
      ON CONFLICT DO UPDATE SET token_name = excluded.token_name,
        session_token_hash = excluded.session_token_hash, connected_ms = excluded.connected_ms`),
    ackedThrough: db
      .prepare<[StreamKey], number>(`
      SELECT acked_through FROM stream_state
      WHERE client_id = :clientId AND epoch = :epoch AND lane = :lane`)
      .pluck(),
    advance: db.prepare(`
      INSERT INTO stream_state(client_id, epoch, lane, first_seq, acked_through, updated_ms)
      VALUES (:clientId, :epoch, :lane, :firstSeq, :ackedThrough, :nowMs)
      ON CONFLICT DO UPDATE SET acked_through = excluded.acked_through, updated_ms = excluded.updated_ms`),
    insert: db.prepare(`
      INSERT INTO event(event_id, client_id, epoch, lane, seq, message_id, type, camera_id,
        schema_version, device_ms, received_ms, replayed, status, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT(message_id) WHERE message_id IS NOT NULL DO NOTHING`),
    read: db.prepare(`
      SELECT event_id AS eventId, client_id AS clientId, type, schema_version AS schemaVersion,
        device_ms AS deviceMs, replayed, CAST(body AS TEXT) AS body
      FROM event
      WHERE event_id > :after AND event_id <= :spanEnd
        AND status IN (${EVENT_STATUS.ok}, ${EVENT_STATUS.opaque})
        AND (:types IS NULL OR type IN (SELECT value FROM json_each(:types)))
        AND (:cameras IS NULL OR camera_id IN (SELECT value FROM json_each(:cameras)))
      ORDER BY event_id`),
  };
}
