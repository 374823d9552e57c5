import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { OutboxItem } from '../../src/store/outbox/outbox-rows.ts';
import { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLogger } from '../../src/system/logger.ts';
import { EdgeUnderTest } from './support/edge.ts';
import { readProducerLog } from './support/producer-log.ts';
import { IS_LONG, SEED, seeded } from './support/seed.ts';

const VARIANTS = IS_LONG ? 500 : 40;
const ALERTS_IN_DATABASE = 200;
const ALERTS_IN_LOG = 100;
const ALERTS = ALERTS_IN_DATABASE + ALERTS_IN_LOG;
const PAGE = 4096;
/** Alerts that one page holds at most; a row's overflow pages hold part of one. */
const ALERTS_ON_A_PAGE = 20;
const OPEN_MS = 3000;

/** Files of an edge that was killed over a database and a log with alerts in both. */
async function killedOutbox(folder: string): Promise<{ dir: string; hashes: Map<string, string> }> {
  const dir = join(folder, 'sound');
  mkdirSync(dir);
  const log = join(folder, 'producer.log');
  const identity = { hubUrl: null, token: '', clientId: 'edge-1', seed: SEED };
  const edge = new EdgeUnderTest({ dir, log, ...identity });
  await edge.open();
  await edge.command('burst', { kind: 'alert', count: ALERTS_IN_DATABASE });
  await edge.stop();
  await edge.open();
  await edge.command('burst', { kind: 'alert', count: ALERTS_IN_LOG });
  await edge.kill();
  return { dir, hashes: new Map(readProducerLog(log).issued) };
}

/** Damages a file as a failing card does; how many pages are hit. */
function damage(path: string, random: () => number): { how: string; pages: number } {
  const content = readFileSync(path);
  const within = (size: number): number => Math.floor(random() * size);
  const kind = ['flip', 'zero', 'garbage', 'truncate'][within(4)];
  if (kind === 'truncate') {
    const size = within(content.length);
    writeFileSync(path, content.subarray(0, size));
    return { how: `cut to ${size}`, pages: Math.ceil((content.length - size) / PAGE) + 1 };
  }
  const hits = 1 + within(4);
  for (let hit = 0; hit < hits; hit++) {
    const at = within(content.length);
    const page = at - (at % PAGE);
    if (kind === 'flip') content[at] = (content[at] ?? 0) ^ (1 << within(8));
    else {
      // A log is not a multiple of a page: its last one ends early.
      const end = Math.min(page + PAGE, content.length);
      content.fill(kind === 'zero' ? 0 : within(256), page, end);
    }
  }
  writeFileSync(path, content);
  return { how: `${kind} x${hits}`, pages: 2 * hits };
}

async function itemsOf(store: Store): Promise<OutboxItem[]> {
  const { streams } = await store.streams(1000);
  const items: OutboxItem[] = [];
  for (const { epoch, firstSeq, nextSeq } of streams.filter(({ lane }) => lane === 0))
    for (let afterSeq = firstSeq - 1; afterSeq < nextSeq - 1; ) {
      const stream = { epoch, lane: 0, afterSeq } as const;
      const batch = await store.readBatch(stream, { maxItems: 64, maxBytes: 65536 });
      items.push(...batch.items);
      afterSeq = batch.through;
    }
  return items;
}

function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 24);
}

function idOf(body: string): string {
  return /alert:[\d-]+;/.exec(body)?.[0] ?? '';
}

interface Outcome {
  readonly name: string;
  readonly pages: number;
  readonly tookMs: number;
  /** Alerts that were sent with a body that nobody wrote. */
  readonly forged: number;
  readonly lost: number;
  readonly isDeclared: boolean;
  readonly isAside: boolean;
}

/** Damages a copy of the file `target` (the database or its log) and opens the outbox over it. */
async function opened(
  sound: { dir: string; hashes: Map<string, string> },
  target: string,
  random: () => number,
): Promise<Outcome> {
  const dir = mkdtempSync(join(sound.dir, 'variant-'));
  for (const name of ['outbox.db', 'outbox.db-wal'])
    copyFileSync(join(sound.dir, name), join(dir, name));
  const { how, pages } = damage(join(dir, target), random);
  const began = performance.now();
  const store = await Store.open({ dir, clock: systemClock, log: silentLogger });
  const tookMs = performance.now() - began;
  const items = await itemsOf(store);
  await store.close();
  const bodies = items.flatMap((item) => (item.kind === 'message' ? [item.body] : []));
  const isAside = readdirSync(dir).some((name) => name.startsWith('outbox.corrupt-'));
  rmSync(dir, { recursive: true });
  return {
    name: `${target}, ${how}`,
    pages,
    tookMs,
    forged: bodies.filter((body) => hashOf(body) !== sound.hashes.get(idOf(body))).length,
    lost: ALERTS - new Set(bodies.map(idOf)).size,
    isDeclared: items.some((item) => item.kind === 'gap'),
    isAside,
  };
}

async function openedVariants(target: string, count: number): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'apex-damage-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const sound = await killedOutbox(folder);
  const random = seeded(SEED);
  const outcomes: Outcome[] = [];
  for (let variant = 0; variant < count; variant++)
    outcomes.push(await opened(sound, target, random));
  return outcomes;
}

function isSound({ tookMs, forged }: Outcome): boolean {
  return tookMs <= OPEN_MS && forged === 0;
}

test('15 a damaged database: it starts, sends only what is whole, saves the other pages, tells the loss', async () => {
  const outcomes = await openedVariants('outbox.db', (VARIANTS * 3) / 4);
  const isWrong = (outcome: Outcome): boolean =>
    !isSound(outcome) ||
    outcome.lost > outcome.pages * ALERTS_ON_A_PAGE ||
    (outcome.lost > 0 && !outcome.isDeclared);
  expect(outcomes.filter(isWrong), `seed ${SEED}`).toEqual([]);
  expect(outcomes.filter(({ isAside }) => isAside).length).toBeGreaterThan(VARIANTS / 10);
});

test('15 a damaged log: it starts, sends only what is whole, keeps what the database already had', async () => {
  // To SQLite the first damaged frame of the log is its end.
  const outcomes = await openedVariants('outbox.db-wal', VARIANTS / 4);
  // A log that was cut looks like one that never was longer, and a damaged last commit like one that the power
  // cut in two before it was promised: of that loss nothing can be known. Each alert here is a commit of its own.
  const isWrong = (outcome: Outcome): boolean =>
    !isSound(outcome) ||
    outcome.lost > ALERTS_IN_LOG ||
    (outcome.lost > 1 && !outcome.isDeclared && !outcome.name.includes('cut to'));
  expect(outcomes.filter(isWrong), `seed ${SEED}`).toEqual([]);
});
