import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PacketRing } from '../../../src/evidence/clips/packet-ring.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { LogLines } from '../../support/log-lines.ts';
import { temporaryFolder, waitFor } from '../../support/program.ts';

let dir = '';
let nowMs = 0;
let ring: PacketRing;
let log: LogLines;

beforeEach(() => {
  dir = temporaryFolder('ring');
  nowMs = 1000;
  log = new LogLines();
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  ring = new PacketRing({ dir, keepMs: 5000, budgetBytes: 1e6, clock, log });
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
  await waitFor('it is seen', () =>
    ring.covering(atMs, atMs + 1).some(({ path }) => path === join(dir, name)),
  );
}

const names = (fromMs: number, toMs: number): string[] =>
  ring.covering(fromMs, toMs).map(({ path }) => path.slice(dir.length + 1));

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

const blocksOf = (name: string) => statSync(join(dir, name)).blocks * 512;
const told = (words: string) => log.lines.filter((line) => line.includes(words)).length;

test('a camera without key frames takes no more room than any other, and has no clips until one comes', async () => {
  const name = '1_h264_640x360-000000.ts';
  await begin(name, 1000);
  // As ffmpeg does: it writes on where it is.
  const file = openSync(join(dir, name), 'r+');
  let written = 7;
  for (let second = 2; second < 12; second++) {
    writeSync(file, Buffer.alloc(400_000, 1), 0, 400_000, written);
    written += 400_000;
    nowMs = second * 1000;
    ring.prune(nowMs, 1000);
    await waitFor('room', () => blocksOf(name) <= 1e6);
  }
  closeSync(file);
  expect(written).toBeGreaterThan(3e6);
  expect(names(1000, 12_000)).toEqual([]);
  expect(told('before a key frame')).toBe(1);
  await begin('1_h264_640x360-000001.ts', 13_000);
  expect(names(1000, 14_000)).toEqual(['1_h264_640x360-000001.ts']);
});

test('what is needed goes too where the room is spent, oldest first, and that is told once', async () => {
  for (let number = 0; number < 4; number++) {
    await begin(`1_h264_640x360-00000${number}.ts`, 1000 + number * 1000);
    appendFileSync(join(dir, `1_h264_640x360-00000${number}.ts`), Buffer.alloc(400_000, 1));
    ring.prune(nowMs, 0);
  }
  const all = () => readdirSync(dir).sort();
  await waitFor('room', () => all().length === 2);
  expect(all()).toEqual(['1_h264_640x360-000002.ts', '1_h264_640x360-000003.ts']);
  expect(told('ring is full: clips')).toBe(1);
});
