import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLogger } from '../../src/system/logger.ts';
import { freePort, Program, temporaryFolder, waitFor } from '../support/program.ts';
import { filesHolding } from '../support/raw-bytes.ts';

const NAME = 'Anna Ölçer';
const TOKEN = 'an-edge-token-of-some-length';

const started: Program[] = [];
afterEach(async () => {
  for (const program of started.splice(0)) await program.end('SIGKILL');
});

/** An alert that tells of the person, in the store of a daemon that does not run. */
async function storeAlert(dataDir: string, personId: string): Promise<void> {
  const store = await Store.open({ dir: dataDir, clock: systemClock, log: silentLogger });
  const identity = { person_id: personId, name: NAME, confidence: 0.8, threat_level: 'safe' };
  await store.enqueue([
    {
      type: 'alert_triggered',
      cameraId: 'gate',
      data: {
        ...{ type: 'loitering', camera_id: 'gate', severity: 'high', timestamp: 1 },
        data: { identity, why: `${NAME} in view for 30 s` },
      },
      wallMs: systemClock.wallMs(),
      monoMs: systemClock.monotonicMs(),
    },
  ]);
  await store.close();
}

test('who is forgotten is gone from a running box and from its hub', async () => {
  const folder = temporaryFolder('people');
  const [edgeDir, hubDir, port] = [join(folder, 'edge'), join(folder, 'hub'), await freePort()];
  mkdirSync(edgeDir);
  const config = join(folder, 'config.yaml');
  const hub = { host: '127.0.0.1', port, data_dir: hubDir };
  const tokens = [{ name: 'box', type: 'ai_engine', token: TOKEN }];
  const uplink = { url: `ws://127.0.0.1:${port}/`, token: TOKEN };
  const edge = { id: 'box', data_dir: edgeDir };
  writeFileSync(config, stringify({ edge, uplink, hub: { ...hub, tokens } }), { mode: 0o600 });
  const run = async (...args: string[]): Promise<string> => {
    const program = Program.start([...args, '--config', config]);
    expect([await program.closed(), program.stderr]).toEqual([0, '']);
    return program.stdout.trim();
  };

  const personId = await run('people', 'add', NAME);
  await storeAlert(edgeDir, personId);
  started.push(Program.start(['hub', '--config', config]));
  started.push(Program.start(['run', '--config', config]));
  await waitFor('the alert at the hub', () =>
    filesHolding(folder, personId).includes('hub/hub.sqlite-wal'),
  );

  expect(await run('people', 'forget', personId)).toContain(`${personId} is forgotten: 1 stored`);

  expect(await run('people', 'list')).toBe('nobody');
  expect(filesHolding(edgeDir, NAME)).toEqual([]);
  await waitFor('the hub has forgotten', () => filesHolding(hubDir, personId).length === 0);
  expect(filesHolding(folder, NAME)).toEqual([]);
  // The order itself stays at the box for a day, for a hub that is put back to an older state.
  expect(filesHolding(folder, personId).every((path) => path.startsWith('edge/outbox.db'))).toBe(
    true,
  );
});
