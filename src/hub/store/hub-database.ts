import { randomBytes, randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import type { StreamAck } from '../../protocol/batch.ts';
import type { ClientStream } from '../../protocol/session.ts';
import { openDatabase } from '../../store/file/sqlite.ts';
import { EventDeletion, type RetentionSlice } from './event-deletion.ts';
import { forkVerdict, tokenHash, tokenText } from './fork.ts';
import { type ForgettingSlice, PersonForgetting } from './person-forgetting.ts';
import { type Placement, placeBatch } from './placement.ts';
import type {
  ClientRecord,
  IdentifiedClient,
  StoreAnswers,
  StoreBatch,
  StoredBatch,
  StoredItem,
  TokenBinding,
  WriteCall,
} from './requests.ts';
import { DEFAULT_RETENTION, type RetentionRules } from './retention.ts';
import { EVENT_STATUS, HUB_APPLICATION_ID, HUB_MIGRATIONS } from './schema.ts';
import { prepareStatements, type Statements } from './statements.ts';

/** High-water marks of epochs that their client no longer lists are kept for so long. */
const STREAM_KEPT_MS = 30 * 24 * 3600 * 1000;

/** The hub's file: everything synchronous, for the one thread that owns it. */
export class HubDatabase {
  readonly storeId: string;
  readonly #db: Database;
  readonly #statements: Statements;
  readonly #deletion: EventDeletion;
  readonly #forgetting: PersonForgetting;
  #lastEventId: number;

  /**
   * The caller holds the folder's lock.
   * @throws ApexError as `openDatabase` does.
   */
  constructor(path: string, nowMs: number, retention: RetentionRules = DEFAULT_RETENTION) {
    this.#db = openDatabase(path, {
      applicationId: HUB_APPLICATION_ID,
      migrations: HUB_MIGRATIONS,
      isShared: true,
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
    this.#deletion = new EventDeletion(this.#db, retention);
    this.#forgetting = new PersonForgetting(this.#db);
  }

  get lastEventId(): number {
    return this.#lastEventId;
  }

  /** Nothing from this event on was deleted. */
  get oldestEventId(): number {
    return this.#deletion.oldestEventId;
  }

  /** Deletes a slice of what is too old or too much; null when there is nothing. */
  retain(nowMs: number): RetentionSlice | null {
    return this.#deletion.slice(nowMs, this.#lastEventId);
  }

  /** Takes a forgotten person out of a slice of events; null when nobody is to be forgotten. */
  forget(): ForgettingSlice | null {
    return this.#forgetting.slice();
  }

  /** By client id of every edge that was ever here: its token. */
  edgeTokens(): ReadonlyMap<string, TokenBinding> {
    const rows = this.#db
      .prepare<[], TokenBinding & { id: string }>(
        `SELECT client_id AS id, token_name AS name, token_digest AS sha256
         FROM session WHERE client_type = 'ai_engine'`,
      )
      .all();
    return new Map(rows.map(({ id, ...token }) => [id, token]));
  }

  /** Applies all calls in one transaction: on disk when this returns, nothing changed when it throws. */
  writeGroup(calls: readonly WriteCall[]): StoreAnswers[WriteCall['op']][] {
    const before = this.#lastEventId;
    try {
      return this.#db.transaction(() => calls.map((call) => this.#write(call))).immediate();
    } catch (error) {
      this.#lastEventId = before;
      throw error;
    }
  }

  /**
   * Lets go of the file. SQLite moves the log into the main file if it can; where it cannot, on a full disk, the
   * next open does.
   */
  close(): void {
    this.#db.close();
  }

  #write(call: WriteCall): StoreAnswers[WriteCall['op']] {
    if (call.op === 'store') return this.#store(call.batch);
    if (call.op === 'identify') return this.#identify(call.client);
    if (call.op === 'confirm') this.#statements.confirmToken.run(call.use);
    else this.#statements.probe.run();
    return null;
  }

  #identify(client: ClientRecord): IdentifiedClient {
    const { clientId, clientType, token, connectedMs, resume } = client;
    const key = { clientId, clientType };
    const memory = this.#statements.session.get(key) ?? null;
    const epochs = [...new Set(resume?.streams.map(({ epoch }) => epoch))];
    const known = this.#statements.knownStreams.all({ clientId, epochs: JSON.stringify(epochs) });
    const question = {
      presented: resume?.sessionToken ?? null,
      memory,
      listedEpochs: epochs,
      knownEpochs: new Set(known.map(({ epoch }) => epoch)),
    };
    let verdict = forkVerdict(question);
    if (verdict === 'fork' && resume?.isForkForgiven === true) verdict = 'forgiven';
    if (verdict === 'fork') return { verdict };
    const binding = { tokenName: token.name, tokenDigest: token.sha256, connectedMs };
    this.#statements.bindToken.run({ ...key, ...binding });
    if (resume === null) return { verdict, sessionToken: null, streams: [], purged: 0 };
    const number = (memory?.number ?? 0) + 1;
    const text = tokenText(number, randomBytes(24).toString('base64url'));
    const previous = tokenHash(resume.sessionToken);
    this.#statements.issueToken.run({ ...key, number, current: tokenHash(text), previous });
    return {
      verdict,
      sessionToken: { text, number },
      streams: resume.streams.map((stream) => this.#resume(clientId, stream, known, connectedMs)),
      purged: this.#purge(clientId, epochs, connectedMs),
    };
  }

  /** Where a listed stream goes on; one that is new to the hub is noted. */
  #resume(
    clientId: string,
    { epoch, lane, first_seq: firstSeq }: ClientStream,
    known: readonly StreamAck[],
    nowMs: number,
  ): StreamAck {
    const old = known.find((stream) => stream.epoch === epoch && stream.lane === lane);
    if (old !== undefined) return old;
    const ackedThrough = firstSeq - 1;
    this.#statements.advance.run({ clientId, epoch, lane, firstSeq, ackedThrough, nowMs });
    return { epoch, lane, acked_through: ackedThrough };
  }

  #purge(clientId: string, epochs: readonly string[], nowMs: number): number {
    const beforeMs = nowMs - STREAM_KEPT_MS;
    const kept = JSON.stringify(epochs);
    return this.#statements.purgeStreams.run({ clientId, epochs: kept, beforeMs }).changes;
  }

  #store(batch: StoreBatch): StoredBatch {
    const eventIds: number[] = new Array(batch.items.length).fill(0);
    const { stream } = batch;
    if (stream === null) {
      for (const [index, item] of batch.items.entries())
        eventIds[index] = this.#insert(batch, item);
      const duplicates = eventIds.filter((eventId) => eventId === 0).length;
      return { ackedThrough: 0, duplicates, forked: 0, expectedSeq: null, eventIds };
    }
    const { clientId, receivedMs: nowMs } = batch;
    const known = this.#statements.position.get({ clientId, ...stream });
    const placement = placeBatch(known?.ackedThrough ?? stream.firstSeq - 1, batch.items);
    for (const { index, item } of placement.accepted) eventIds[index] = this.#insert(batch, item);
    const conflicts = placement.accepted.filter(({ index }) => eventIds[index] === 0).length;
    const kept = placement.duplicates.filter(({ item }) => item.seq > (known?.deletedThrough ?? 0));
    const forked = this.#storeForked(batch, kept, eventIds);
    const { ackedThrough, expectedSeq } = placement;
    if (known?.ackedThrough !== ackedThrough)
      this.#statements.advance.run({ clientId, ...stream, ackedThrough, nowMs });
    const duplicates = placement.duplicates.length - forked + conflicts;
    return { ackedThrough, duplicates, forked, expectedSeq, eventIds };
  }

  /**
   * A known number on a message that was never seen: a fork that nothing else gave away. The message is kept, as
   * its sender is about to be told that it is. Not asked where retention has deleted the messages of these numbers,
   * or each of them that comes again would be stored again.
   */
  #storeForked(
    batch: StoreBatch,
    duplicates: Placement<StoredItem>['duplicates'],
    eventIds: number[],
  ): number {
    let forked = 0;
    for (const { index, item } of duplicates) {
      if (item.messageId === null) continue;
      eventIds[index] = this.#insert(batch, item);
      if (eventIds[index] !== 0) forked++;
    }
    return forked;
  }

  /** The new event's id, or 0 where its message id is already stored. */
  #insert({ clientId, stream, receivedMs }: StoreBatch, item: StoredItem): number {
    const { changes } = this.#statements.insert.run(
      this.#lastEventId + 1,
      clientId,
      stream?.epoch ?? null,
      stream?.lane ?? null,
      stream === null ? null : item.seq,
      item.messageId,
      item.type,
      item.cameraId,
      item.schemaVersion,
      item.deviceMs,
      item.correctedMs,
      item.clockSuspect ? 1 : 0,
      receivedMs,
      item.replayed ? 1 : 0,
      item.status,
      item.body,
    );
    if (changes === 0) return 0;
    this.#lastEventId++;
    if (item.status === EVENT_STATUS.order)
      this.#forgetting.note(this.#lastEventId, clientId, item.body);
    return this.#lastEventId;
  }
}
