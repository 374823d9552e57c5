import type { z } from 'zod';
import { type ForgottenPerson, scrubJson } from '../people/scrub.ts';
import { isTooDeep } from '../protocol/codec.ts';
import { type DeliveredType, LANES, type Lane, laneOf } from '../protocol/lanes.ts';
import { LIMITS } from '../protocol/limits.ts';
import { type ObjectEvent, PAYLOADS } from '../protocol/payloads.ts';
import { bootId, type Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { uuid7 } from '../system/uuid7.ts';
import type { OutboxBatch, ReadLimits } from './outbox/outbox-rows.ts';
import type {
  DeadLetter,
  EventRow,
  ForgottenRows,
  ListedEvent,
  NewRow,
  OutboxStreams,
  Position,
  RawLaneQueue,
  RawQueue,
  Rejection,
  SinkPeer,
  WorkerSettings,
} from './requests.ts';
import { StoreChannel } from './store-channel.ts';

export interface StoreOptions {
  /** Folder of the database; made where it is missing. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ceiling of all files of the outbox together; by default 256 MiB or a tenth of the file system. */
  readonly budgetBytes?: number;
  /** `strict` writes detections to disk before they are sent, as events are. */
  readonly durability?: 'standard' | 'strict';
  /** False where there is no hub to send to: object events are kept, and nothing is queued. True by default. */
  readonly hasSink?: boolean;
}

/** A message for the hub: payload, where and when it happened. */
export type OutgoingMessage = {
  [Type in DeliveredType]: {
    readonly type: Type;
    readonly cameraId: string | null;
    readonly data: z.infer<(typeof PAYLOADS)[Type]['schema']>;
    readonly wallMs: number;
    readonly monoMs: number;
  };
}[DeliveredType];

/** An object's stay that has no end yet, as it was last recorded. */
export interface OpenEvent {
  readonly event: ObjectEvent;
  readonly snapshotPath: string | null;
}

export interface LaneQueue {
  readonly lane: Lane;
  /** Messages and declared gaps that the hub has not acknowledged, and bytes of their bodies. */
  readonly depth: number;
  readonly bytes: number;
  /** Of `depth`: in memory only. */
  readonly inMemory: number;
  readonly evictedCount: number;
  readonly evictedBytes: number;
  readonly gapCount: number;
  readonly oldestAgeMs: number | null;
  readonly ackedSeq: number;
  readonly nextSeq: number;
  /** Monotonic time of the last acknowledgement in this process. */
  readonly lastAckMono: number | null;
}

export type QueueStatus = Omit<RawQueue, 'lanes'> & { readonly lanes: readonly LaneQueue[] };

/**
 * Everything that the edge must not lose, in one SQLite file on a thread of its own.
 *
 * Alerts and events are on disk (fsync) when the promise of a writing method resolves. Detections and states are
 * taken into memory, and written when the hub does not acknowledge them soon. A full disk or budget gives up what
 * matters least and declares it; only where that is not enough is a message refused with STORE_FULL. Where the disk
 * fails, everything goes on in memory, and the promise of an alert resolves when it is on disk again or the hub has
 * it. STORE_CLOSED after `close`. Nothing of a call that was refused is kept.
 */
export class Store {
  readonly #channel: StoreChannel;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #hasSink: boolean;
  /** Forgotten since the start: tracks that go on may still bring them along. */
  #forgotten: ForgottenPerson[] = [];
  readonly #lastAckMono: (number | null)[] = LANES.map(() => null);

  /**
   * Opens the store in its folder and begins a new epoch.
   * @throws ApexError STORE_LOCKED, STORE_UNREADABLE, STORE_NEWER, STORE_NOT_DURABLE, STORE_FULL, STORE_IO
   */
  static async open(options: StoreOptions): Promise<Store> {
    const settings: WorkerSettings = {
      dir: options.dir,
      bootId: bootId(),
      budgetBytes: options.budgetBytes ?? null,
      durability: options.durability ?? 'standard',
    };
    return new Store(await StoreChannel.open(settings, options.log), options);
  }

  private constructor(channel: StoreChannel, { clock, log, hasSink }: StoreOptions) {
    this.#channel = channel;
    this.#clock = clock;
    this.#log = log;
    this.#hasSink = hasSink ?? true;
  }

  /** Current epoch and the next number of each lane; changes with every commit. */
  get position(): Position {
    return this.#channel.position;
  }

  /** Takes messages into the outbox, all or none; without a hub to send to, none. @throws ApexError STORE_MESSAGE_TOO_LARGE, STORE_MESSAGE_INVALID and the class's. */
  async enqueue(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0 || !this.#hasSink) return;
    await this.#channel.call('write', {
      rows: messages.map((message) => this.#row(message)),
      event: null,
    });
  }

  /** Keeps an object event as it now stands and sends it to the hub, as one transaction. */
  async recordEvent(
    event: ObjectEvent,
    at: { readonly wallMs: number; readonly monoMs: number; readonly snapshotPath: string | null },
  ): Promise<void> {
    const row = this.#row({
      type: 'object_event',
      cameraId: event.camera_id,
      data: event,
      wallMs: at.wallMs,
      monoMs: at.monoMs,
    });
    const kept: EventRow = {
      eventId: event.event_id,
      cameraId: event.camera_id,
      label: event.label,
      startMs: Math.round(event.start_time),
      endMs: event.end_time === null ? null : Math.round(event.end_time),
      snapshotPath: at.snapshotPath,
      body: row.body,
    };
    await this.#channel.call('write', { rows: this.#hasSink ? [row] : [], event: kept });
  }

  /** Object events without an end, oldest first: at start, the ones that a crash left open. */
  async openEvents(): Promise<OpenEvent[]> {
    const rows = await this.#channel.call('openEvents', {});
    return rows.map((row) => ({
      event: JSON.parse(row.body) as ObjectEvent,
      snapshotPath: row.snapshotPath,
    }));
  }

  /** The events that are kept, a part of them at a time: `id` of the last one is where the next part begins. */
  listEvents(afterId: number, limit: number): Promise<ListedEvent[]> {
    return this.#channel.call('listEvents', { afterId, limit });
  }

  /** These events as they were last recorded; those that are no longer kept are left out. */
  async eventsOf(eventIds: readonly string[]): Promise<ObjectEvent[]> {
    const bodies = await this.#channel.call('eventBodies', { eventIds });
    return bodies.map((body) => JSON.parse(body) as ObjectEvent);
  }

  /** Ids of the events that tell of a person. */
  async eventsAbout(person: ForgottenPerson): Promise<readonly string[]> {
    return (await this.#channel.call('mentions', { person })).eventIds;
  }

  /**
   * Leaves no trace of a person in the file: neither in rows, also those that wait to be sent, nor in free room, nor in
   * damaged files that lie beside it. The hub is told to do the same. What comes in later goes without the person too.
   * Meanwhile nothing else is stored: it takes a second or two for each 100 MB.
   * @throws ApexError STORE_FULL, STORE_IO where traces are left; it is to be called again then
   */
  forgetPerson(
    person: ForgottenPerson,
    at: { readonly wallMs: number; readonly monoMs: number },
  ): Promise<ForgottenRows> {
    const { personId } = person;
    if (!this.#forgotten.some((other) => other.personId === personId)) this.#forgotten.push(person);
    const data = { person_id: personId, timestamp: at.wallMs };
    const order = this.#hasSink
      ? this.#row({ type: 'person_forgotten', cameraId: null, data, ...at })
      : null;
    return this.#channel.call('forget', { person, order });
  }

  /** People who are known, also such as were forgotten and came back from an export. */
  readmit(personIds: ReadonlySet<string>): void {
    this.#forgotten = this.#forgotten.filter(({ personId }) => !personIds.has(personId));
  }

  /** What the hub has not acknowledged, by lane. */
  async queue(): Promise<QueueStatus> {
    const { lanes, ...rest } = await this.#channel.call('queue', {});
    return {
      ...rest,
      lanes: LANES.flatMap((lane) => {
        const raw = lanes[lane];
        return raw === undefined ? [] : [this.#laneQueue(lane, raw)];
      }),
    };
  }

  /** The newest messages that were refused or could not be sent. */
  deadLetters(limit: number): Promise<DeadLetter[]> {
    return this.#channel.call('deadLetters', { limit });
  }

  /** Streams to resume; at most `limit` of older epochs. */
  streams(limit: number): Promise<OutboxStreams> {
    return this.#channel.call('streams', { limit });
  }

  /** Items of one stream behind `afterSeq`, without a hole between their numbers. */
  readBatch(
    stream: { readonly epoch: string; readonly lane: Lane; readonly afterSeq: number },
    limits: ReadLimits,
  ): Promise<OutboxBatch> {
    return this.#channel.call('read', { ...stream, ...limits });
  }

  /** The hub has everything of the stream up to `through`: its rows go, lazily and without being waited for. */
  acked(epoch: string, lane: Lane, through: number): void {
    this.#lastAckMono[lane] = this.#clock.monotonicMs();
    this.#channel
      .call('ack', { epoch, lane, through })
      .catch((error: unknown) => this.#log.warn({ err: error, lane }, 'acknowledgement not noted'));
  }

  /** Copies refused messages to the dead letters; to be called before `acked`. */
  async deadLetter(rejections: readonly Rejection[]): Promise<void> {
    await this.#channel.call('deadLetter', { rejections });
  }

  /** Copies a message that can never be sent to the dead letters; a gap with the reason `poison` goes out for it. */
  async poison(rejection: Rejection): Promise<void> {
    await this.#channel.call('poison', { rejection });
  }

  peer(): Promise<SinkPeer | null> {
    return this.#channel.call('peer', {});
  }

  async savePeer(peer: SinkPeer): Promise<void> {
    await this.#channel.call('savePeer', peer);
  }

  /** Gives what the current epoch still holds to a new one: for when the hub has other messages under its numbers. */
  async renewEpoch(): Promise<void> {
    await this.#channel.call('renewEpoch', {});
  }

  /** Calls back after commits, once `position` is up to date. Returns how to stop that. */
  onCommitted(listener: () => void): () => void {
    return this.#channel.onCommitted(listener);
  }

  /** Writes what is left, moves the log into the file and ends the thread. */
  close(): Promise<void> {
    return this.#channel.close();
  }

  #row(message: OutgoingMessage): NewRow {
    if (isTooDeep(message.data))
      throw new ApexError(
        'STORE_MESSAGE_INVALID',
        `${message.type} is nested too deep for a frame`,
      );
    if (!Number.isFinite(message.wallMs) || !Number.isFinite(message.monoMs))
      throw new ApexError('STORE_MESSAGE_INVALID', `${message.type} without a time`);
    const body = this.#withoutForgotten(message.type, JSON.stringify(message.data));
    // A UTF-16 unit takes at most three bytes of UTF-8, so short bodies need no count.
    if (body.length * 3 > LIMITS.maxBodyBytes && Buffer.byteLength(body) > LIMITS.maxBodyBytes)
      throw new ApexError(
        'STORE_MESSAGE_TOO_LARGE',
        `${message.type} of ${Buffer.byteLength(body)} bytes; at most ${LIMITS.maxBodyBytes}`,
      );
    return {
      lane: laneOf(message.type),
      messageId: uuid7(message.wallMs),
      type: message.type,
      schemaVersion: PAYLOADS[message.type].version,
      cameraId: message.cameraId,
      wallMs: message.wallMs,
      monoMs: message.monoMs,
      body,
    };
  }

  #withoutForgotten(type: DeliveredType, body: string): string {
    if (type === 'person_forgotten') return body;
    return this.#forgotten
      .filter(({ personId }) => body.includes(personId))
      .reduce(scrubJson, body);
  }

  #laneQueue(lane: Lane, raw: RawLaneQueue): LaneQueue {
    const { oldest, ...numbers } = raw;
    return {
      lane,
      ...numbers,
      oldestAgeMs: oldest && ageMs(oldest, this.#clock),
      lastAckMono: this.#lastAckMono[lane] ?? null,
    };
  }
}

/** Across reboots the monotonic clock starts anew, and the wall clock is all there is. */
function ageMs(row: NonNullable<RawLaneQueue['oldest']>, clock: Clock): number {
  const age = row.isSameBoot ? clock.monotonicMs() - row.monoMs : clock.wallMs() - row.wallMs;
  return Math.max(0, age);
}
