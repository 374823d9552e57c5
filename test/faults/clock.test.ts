import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { waitFor } from '../support/program.ts';
import { faketimeLibrary, testWhere } from './support/needs.ts';
import { FaultScene } from './support/scene.ts';

/** Long enough for a timer that follows the wall clock to run off: heartbeats and timeouts are seconds. */
const SETTLE_MS = 1500;
const JUMPS = ['+3600', '-3600', '+315360000', '-315360000', '+0'];

testWhere('libfaketime')(
  '16 the wall clock jumps while it runs: connection, order and queue stay as they are',
  async () => {
    const rates = { alert: 20, face: 10, detection: 40 };
    const scene = await FaultScene.create({ edge: { rates } });
    const { edge, hub, folder } = scene;
    const offset = join(folder, 'offset');
    const jumpTo = (seconds: string): void => writeFileSync(offset, `${seconds}\n`);
    jumpTo('+0');
    await edge.open({
      env: {
        LD_PRELOAD: faketimeLibrary() ?? '',
        FAKETIME_TIMESTAMP_FILE: offset,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    // With a backlog: nothing of it may be taken for years old.
    await edge.command('burst', { kind: 'detection', count: 500, group: 50 });
    for (const jump of JUMPS.slice(0, 3)) {
      jumpTo(jump);
      await delay(SETTLE_MS);
    }
    const { lanes } = await edge.command('queue');
    expect(lanes.map(({ evictedCount }) => evictedCount).slice(0, 3)).toEqual([0, 0, 0]);
    jumpTo('+0');
    await hub.open();
    const connected = await waitFor('the connection', async () => {
      const { uplink } = await edge.command('status');
      return uplink?.state === 'authenticated' && uplink;
    });
    for (const jump of JUMPS) {
      jumpTo(jump);
      await delay(SETTLE_MS);
      const { uplink } = await edge.command('status');
      expect(uplink, jump).toMatchObject({ state: connected.state, since: connected.since });
    }
    await scene.recovers();
    await scene.verdict();
  },
);
