import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PacketRing } from '../../../src/evidence/clips/packet-ring.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { temporaryFolder, waitFor } from '../../support/program.ts';

let dir = '';
let nowMs = 0;
let ring: PacketRing;

beforeEach(() => {
  dir = temporaryFolder('ring');
  nowMs = 1000;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  ring = new PacketRing({ dir, keepMs: 5000, budgetBytes: 1e6, clock, log: silentLogger });
  ring.open();
});

afterEach(async () => {
  await ring.close();
  rmSync(dir, { recursive: true, force: true });
});

/** What ffmpeg does at a key frame. */
async function begin(name: string, atMs: number): Promise<void> {
  nowMs = atMs;
  appendFileSync(join(dir, name), 'packets');
  await waitFor('it is seen', () => ring.covering(atMs, atMs + 1).includes(join(dir, name)));
}

const names = (fromMs: number, toMs: number): string[] =>
  ring.covering(fromMs, toMs).map((path) => path.slice(dir.length + 1));

test('what came before an outage is in no clip of what came after it', async () => {
  await begin('1-000000.ts', 1000);
  await begin('1-000001.ts', 3000);
  nowMs = 5000;
  ring.prune(nowMs, null);
  await begin('9-000000.ts', 60_000);
  expect(names(58_000, 62_000)).toEqual(['9-000000.ts']);
  expect(names(2000, 4000)).toEqual(['1-000000.ts', '1-000001.ts']);
});

test('a segment that was deleted is not taken for a new one', async () => {
  await begin('1-000000.ts', 1000);
  await begin('1-000001.ts', 3000);
  ring.prune(9000, null);
  await waitFor('it is deleted', () => !readdirSync(dir).includes('1-000000.ts'));
  await begin('1-000002.ts', 9500);
  expect(names(0, 10_000)).toEqual(['1-000001.ts', '1-000002.ts']);
});
