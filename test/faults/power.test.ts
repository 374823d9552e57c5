import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { testWhere } from './support/needs.ts';
import { IS_LONG, SEED } from './support/seed.ts';

const DIST = new URL('../../dist/', import.meta.url).href;
/** One for each core that CI has. */
const PARTS = 2;
/** Random states beside the two extremes at each call. */
const VARIANTS = IS_LONG ? 30 : 5;

interface Replay {
  readonly states: number;
  /** Of these the program itself opened. */
  readonly opened: number;
  readonly lost: number;
  readonly damaged: number;
  readonly examples: readonly string[];
}

function program(name: string): string {
  return fileURLToPath(new URL(`./power/${name}`, import.meta.url));
}

/** Runs a workload under the recorder and returns the log of its calls. */
function recorded(workload: string, ...amounts: number[]): { records: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'apex-power-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const library = join(folder, 'recorder.so');
  const flags = ['-O2', '-Wall', '-shared', '-fPIC'];
  execFileSync('gcc', [...flags, '-o', library, program('recorder.c'), '-ldl', '-lpthread']);
  const records = join(folder, 'records');
  const dir = join(folder, 'data');
  const env = { APEX_RECORD_DIR: dir, APEX_RECORD_LOG: records, LD_PRELOAD: library };
  execFileSync(process.execPath, [program(workload), dir, DIST, ...amounts.map(String)], {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  return { records, folder };
}

async function replayed(records: string, folder: string, options: object): Promise<Replay> {
  // In memory, where an fsync costs nothing.
  const memory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : folder, 'apex-power-'));
  onTestFinished(() => rmSync(memory, { recursive: true, force: true }));
  const parts = await Promise.all(
    Array.from({ length: PARTS }, async (_, part) => {
      const dir = join(memory, String(part));
      const shared = { records, dir, seed: SEED, variants: VARIANTS, part, parts: PARTS };
      const argument = JSON.stringify({ lie: false, dist: null, stride: 1, ...shared, ...options });
      const child = spawn(process.execPath, [program('replay.mjs'), argument], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      await once(child, 'close');
      return JSON.parse(output) as Replay;
    }),
  );
  const sum = (key: 'states' | 'opened' | 'lost' | 'damaged'): number =>
    parts.reduce((total, part) => total + part[key], 0);
  return {
    states: sum('states'),
    opened: sum('opened'),
    lost: sum('lost'),
    damaged: sum('damaged'),
    examples: parts.flatMap(({ examples }) => examples),
  };
}

const OUTBOX = { file: 'outbox.db', table: 'outbox_0' };

testWhere('gcc')(
  '3 power loss at the edge: no obligated alert is lost in any crash state',
  async () => {
    const { records, folder } = recorded('edge-workload.mjs', 3, 75);
    const replay = await replayed(records, folder, { ...OUTBOX, dist: DIST });
    console.log(`edge: ${replay.states} crash states, ${replay.opened} opened by the store itself`);
    expect(replay, `seed ${SEED}`).toMatchObject({ lost: 0, damaged: 0, examples: [] });
    expect(replay.states).toBeGreaterThanOrEqual(10_000);
    expect(replay.opened).toBeGreaterThan(50);
  },
);

testWhere('gcc')(
  '3 power loss at the hub: no acknowledged alert is lost in any crash state',
  async () => {
    const { records, folder } = recorded('hub-workload.mjs', 60);
    const replay = await replayed(records, folder, { file: 'hub.sqlite', table: 'event' });
    console.log(`hub: ${replay.states} crash states`);
    expect(replay, `seed ${SEED}`).toMatchObject({ lost: 0, damaged: 0, examples: [] });
    expect(replay.states).toBeGreaterThan(2000);
  },
);

testWhere('gcc')(
  '3 power loss with fsyncs that do nothing is noticed by the same check',
  async () => {
    const { records, folder } = recorded('edge-workload.mjs', 1, 20);
    const replay = await replayed(records, folder, { ...OUTBOX, lie: true });
    expect(replay.lost).toBeGreaterThan(0);
  },
);

testWhere('gcc')(
  '3 power loss while the log is moved into the file and begun anew: nothing is lost',
  async () => {
    const { records, folder } = recorded('edge-workload.mjs', 1, 130);
    const replay = await replayed(records, folder, {
      ...OUTBOX,
      ...(!IS_LONG && { stride: 50, variants: 2 }),
    });
    console.log(`checkpoint: ${replay.states} crash states`);
    expect(replay, `seed ${SEED}`).toMatchObject({ lost: 0, damaged: 0, examples: [] });
    expect(replay.states).toBeGreaterThan(150);
  },
);
