import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { OutboxItem } from '../../../src/store/outbox/outbox-rows.ts';
import { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { waitFor } from '../../support/program.ts';

const PROGRAM = fileURLToPath(new URL('./enqueue-until-killed.mjs', import.meta.url));
const DIST = new URL('../../../dist/', import.meta.url).href;
const ROUNDS = 8;

/** Runs the program until it has promised so many alerts and some time more, then kills it. */
async function promisedBeforeKill(dir: string, first: number, round: number): Promise<number[]> {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, dir, String(first), DIST], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close');
  const lines = () => output.split('\n').slice(1, -1).map(Number);
  await waitFor('the first promises', () => lines().length > round * 40);
  // A moment that has nothing to do with what the program does: the event loop's own.
  const moment = performance.now() + Math.random() * 20;
  while (performance.now() < moment) await new Promise(setImmediate);
  child.kill('SIGKILL');
  await closed;
  return lines();
}

async function alertsOf(store: Store): Promise<number[]> {
  const { streams } = await store.streams(1000);
  const items: OutboxItem[] = [];
  for (const { epoch, firstSeq, nextSeq } of streams.filter(({ lane }) => lane === 0)) {
    let afterSeq = firstSeq - 1;
    while (afterSeq < nextSeq - 1) {
      const stream = { epoch, lane: 0, afterSeq } as const;
      const batch = await store.readBatch(stream, { maxItems: 64, maxBytes: 65536 });
      items.push(...batch.items);
      afterSeq = batch.through;
    }
  }
  return items.map((item) =>
    item.kind === 'message' ? JSON.parse(item.body).data.n : `gap ${JSON.stringify(item.gap)}`,
  );
}

test('every alert whose enqueue resolved survives SIGKILL at any moment, once and in order', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'apex-kill-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const promised: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    promised.push(...(await promisedBeforeKill(dir, round * 1_000_000, round)));
  }
  const store = await Store.open({ dir, clock: systemClock, log: silentLogger });
  const kept = await alertsOf(store);
  await store.close();
  const missing = promised.filter((n) => !kept.includes(n));
  expect(missing).toEqual([]);
  // What was written and not promised, because the kill came between, may be there as well: three at most.
  expect(kept.length - promised.length).toBeLessThanOrEqual(3 * ROUNDS);
  expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
  expect(promised.length).toBeGreaterThan(1000);
});
