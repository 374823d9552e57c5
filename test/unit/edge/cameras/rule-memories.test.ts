import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RuleMemories } from '../../../../src/edge/cameras/rule-memories.ts';
import { CameraRules } from '../../../../src/events/rules/camera-rules.ts';
import type { RuleMemory } from '../../../../src/events/rules/rule-memory.ts';
import { SiteClock } from '../../../../src/events/rules/schedule.ts';
import { silentLogger } from '../../../../src/system/logger.ts';

let dataDir: string;
let nowMs: number;
let wallMs: number;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'apex-rules-'));
  [nowMs, wallMs] = [5_000_000, 1_700_000_000_000];
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const clock = {
  monotonicMs: () => nowMs,
  wallMs: () => wallMs,
  setTimeout: () => ({ cancel: () => undefined }),
};

const BOX = { x: 0.1, y: 0.1, width: 0.2, height: 0.4 };

async function open(boot = 'boot-1') {
  const memories = await RuleMemories.open(dataDir, { clock, log: silentLogger, boot });
  let given: RuleMemory | undefined;
  const rules = memories.rulesOf('gate', (memory) => {
    given = memory;
    const siteClock = new SiteClock('UTC');
    const rule = {
      ...{
        name: 'r',
        alertType: 'x',
        severity: 'low' as const,
        labels: null,
        minScore: 0,
        minSpeedKmh: null,
        identity: null,
      },
      ...{ zones: null, lines: null, direction: null, durationMs: 0, count: 1, schedule: null },
      cooldownMs: 60_000,
    };
    return new CameraRules({
      cameraId: 'gate',
      zones: [],
      lines: [],
      rules: [rule],
      siteClock,
      memory,
    });
  });
  const see = (id: number) => {
    const scores = { score: 0.9, topScore: 0.9, medianScore: 0.9, hits: 5 };
    const times = { firstSeenMs: nowMs, lastSeenMs: nowMs };
    const track = { id, label: 'car', classId: 2, box: BOX, firstBox: BOX, ...scores, ...times };
    return (
      rules?.frame([{ track, eventId: 'e', identity: null, isUnknown: false }], {
        monoMs: nowMs,
        wallMs,
      }) ?? []
    );
  };
  return { memories, see, given };
}

const path = () => join(dataDir, 'rules.json');

test('what was told outlives the daemon, also over a restart of the machine', async () => {
  const first = await open();
  expect(first.see(1)).toHaveLength(1);
  first.memories.tick();
  await first.memories.stop();
  nowMs += 10_000;
  wallMs += 10_000;
  expect((await open()).see(1)).toEqual([]);
  nowMs = 100;
  wallMs += 20_000;
  const { see, given } = await open('boot-2');
  expect(given?.objects[0]?.lastSeenMs).toBe(100 - 30_000);
  expect(given?.cooldowns[0]?.dueMs).toBe(100 + 30_000);
  expect(see(1)).toEqual([]);
});

test('is written when a rule fires, and else every few seconds at most, and only for news', async () => {
  const { memories, see } = await open();
  const writes: number[] = [];
  let last = '';
  for (let second = 0; second < 60; second++) {
    nowMs += 1000;
    if (second === 30) see(1);
    memories.tick();
    await memories.settled();
    const text = existsSync(path()) ? readFileSync(path(), 'utf8') : '';
    if (text !== last) writes.push(second);
    last = text;
  }
  expect(writes.filter((second) => second > 0)).toEqual([30, 45]);
  expect(statSync(path()).size).toBeLessThan(1000);
});

test.each(['{', 'null', '{"version":1,"saved":{},"cameras":{}}'])(
  'a damaged file (%s) is left out',
  async (text) => {
    writeFileSync(path(), text);
    const { see, given, memories } = await open();
    expect(given?.objects).toEqual([]);
    expect(see(1)).toHaveLength(1);
    await memories.stop();
    expect(JSON.parse(readFileSync(path(), 'utf8')).cameras.gate.objects).toHaveLength(1);
  },
);
