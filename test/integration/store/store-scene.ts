import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Gap } from '../../../src/protocol/batch.ts';
import type { Lane } from '../../../src/protocol/lanes.ts';
import type { NewRow, OutboxStream, StoreCall } from '../../../src/store/requests.ts';
import type { OutgoingMessage, Store } from '../../../src/store/store.ts';
import { StoreCore, type StoreCoreOptions } from '../../../src/store/store-core.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { uuid7 } from '../../../src/system/uuid7.ts';
import { LogLines } from '../../support/log-lines.ts';

const TYPES = [
  'alert_triggered',
  'object_event',
  'ai_detection_result',
  'ai_engine_status',
] as const;

const now = () => ({ wallMs: systemClock.wallMs(), monoMs: systemClock.monotonicMs() });

export function alert(n: number, filler = ''): OutgoingMessage {
  const at = now();
  const data = {
    type: 'intrusion',
    camera_id: 'cam-1',
    severity: 'high' as const,
    timestamp: at.wallMs,
    data: { n, filler },
  };
  return { type: 'alert_triggered', cameraId: 'cam-1', data, ...at };
}

/** `n` is told by the frame's time. */
export function detection(n: number, filler = ''): OutgoingMessage {
  const data = { camera_id: 'cam-1', timestamp: n, detections: [], model: `m${filler}` };
  return { type: 'ai_detection_result', cameraId: 'cam-1', data, ...now() };
}

/** One entry of a stream, as the hub would see it. */
export type Sent = { readonly seq: number; readonly n: number } | { readonly gap: Gap };

interface Readable {
  read(stream: OutboxStream, afterSeq: number): ReturnType<Store['readBatch']>;
}

const LIMITS = { maxItems: 64, maxBytes: 65_536 };

/** Everything of a stream from a number on. Fails where items leave a number out or tell one twice. */
async function entriesOf(source: Readable, stream: OutboxStream): Promise<Sent[]> {
  const entries: Sent[] = [];
  let through = stream.firstSeq - 1;
  while (through < stream.nextSeq - 1) {
    const batch = await source.read(stream, through);
    for (const item of batch.items) {
      if (item.seq !== through + 1)
        throw new Error(`number ${item.seq} follows on ${through} in lane ${stream.lane}`);
      through = item.kind === 'gap' ? item.gap.to_seq : item.seq;
      entries.push(
        item.kind === 'gap'
          ? { gap: item.gap }
          : { seq: item.seq, n: numberOf(JSON.parse(item.body)) },
      );
    }
    if (through !== batch.through) throw new Error('a batch that ends elsewhere than it says');
  }
  return entries;
}

export function messagesOf(entries: readonly Sent[]): number[] {
  return entries.flatMap((entry) => ('n' in entry ? [entry.n] : []));
}

export function gapsOf(entries: readonly Sent[]): Gap[] {
  return entries.flatMap((entry) => ('gap' in entry ? [entry.gap] : []));
}

function numberOf(body: { n?: number; data?: { n: number }; timestamp?: number }): number {
  return body.n ?? body.data?.n ?? body.timestamp ?? Number.NaN;
}

/** Time that moves only when a test says so. */
class StillClock {
  mono = 1_000_000;
  wall = Date.UTC(2026, 0, 1);
  monotonicMs = (): number => this.mono;
  wallMs = (): number => this.wall;
  setTimeout = systemClock.setTimeout;

  pass(ms: number): void {
    this.mono += ms;
    this.wall += ms;
  }
}

/** The store without its thread, over a clock of the test's. */
export class CoreScene {
  readonly clock = new StillClock();
  readonly log = new LogLines();
  readonly #options: Partial<StoreCoreOptions> & { readonly dir: string };
  core: StoreCore;

  constructor(options: Partial<StoreCoreOptions> & { readonly dir: string }) {
    this.#options = options;
    this.core = this.#open();
  }

  #open(): StoreCore {
    return new StoreCore({
      bootId: 'boot-1',
      budgetBytes: 64 * 1024 * 1024,
      durability: 'standard',
      clock: this.clock,
      newEpoch: () => uuid7(this.clock.wall),
      log: this.log,
      ...this.#options,
    });
  }

  /** Goes on with the files as they are at this moment, which is what a killed process leaves behind. */
  crash(): void {
    const left = join(this.#options.dir, 'left-behind');
    mkdirSync(left);
    for (const name of readdirSync(this.#options.dir))
      if (name.startsWith('outbox.db'))
        copyFileSync(join(this.#options.dir, name), join(left, name));
    this.core.close();
    for (const name of readdirSync(this.#options.dir))
      if (name.startsWith('outbox.db')) rmSync(join(this.#options.dir, name));
    for (const name of readdirSync(left))
      renameSync(join(left, name), join(this.#options.dir, name));
    rmSync(left, { recursive: true });
    this.restart();
  }

  /** After the one before was closed. */
  restart(): void {
    this.core = this.#open();
  }

  row(lane: Lane, n: number, more: Partial<NewRow> & { readonly filler?: string } = {}): NewRow {
    const { filler, ...rest } = more;
    return {
      lane,
      messageId: uuid7(this.clock.wall),
      type: TYPES[lane],
      schemaVersion: 1,
      cameraId: 'cam-1',
      wallMs: this.clock.wall,
      monoMs: this.clock.mono,
      body: JSON.stringify({ n, filler }),
      ...rest,
    };
  }

  /** Outcomes of the calls, in words. */
  do(...calls: StoreCall[]): string[] {
    return this.core.execute(calls).map((outcome) => {
      if ('deferred' in outcome) return 'deferred';
      return outcome.ok ? 'ok' : outcome.error.code;
    });
  }

  put(...rows: NewRow[]): string[] {
    return this.do(...rows.map((row): StoreCall => ({ op: 'write', rows: [row], event: null })));
  }

  ack(lane: Lane, through: number, epoch = this.core.position.epoch): void {
    this.do({ op: 'ack', epoch, lane, through });
  }

  ask<T>(call: StoreCall): T {
    const [outcome] = this.core.execute([call]);
    if (outcome === undefined || 'deferred' in outcome || !outcome.ok)
      throw new Error(`${call.op}: ${JSON.stringify(outcome)}`);
    return outcome.result as T;
  }

  streams(lane: Lane): OutboxStream[] {
    const { streams } = this.ask<{ streams: OutboxStream[] }>({ op: 'streams', limit: 1000 });
    return streams.filter((stream) => stream.lane === lane);
  }

  /** What the hub would get of a lane from the streams that are left, oldest first. */
  async entries(lane: Lane): Promise<Sent[]> {
    const all: Sent[] = [];
    for (const stream of this.streams(lane)) all.push(...(await this.entriesOf(stream)));
    return all;
  }

  entriesOf(stream: OutboxStream, through = stream.nextSeq - 1): Promise<Sent[]> {
    const { epoch, lane } = stream;
    const source: Readable = {
      read: async (_stream, afterSeq) => this.ask({ op: 'read', epoch, lane, afterSeq, ...LIMITS }),
    };
    return entriesOf(source, stream).then((entries) =>
      entries.filter((entry) => 'gap' in entry || entry.seq <= through),
    );
  }
}
