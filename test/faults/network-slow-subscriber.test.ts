import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Hub } from '../../src/hub/hub.ts';
import { USUAL_SCOPES } from '../../src/protocol/scopes.ts';
import { systemClock } from '../../src/system/clock.ts';
import { createLogger } from '../../src/system/logging.ts';
import { waitFor } from '../support/program.ts';
import { readHubRecord } from './support/hub-record.ts';
import { everyAlertOnce } from './support/invariants.ts';
import { FaultyLink } from './support/proxy.ts';
import { expectSawAll } from './support/scene.ts';
import { RecordingSubscriber } from './support/subscriber.ts';
import { Swarm } from './support/swarm.ts';

const MIB = 1024 * 1024;
/** The hub ends a subscriber that has 8 MiB waiting; what it was just handing over comes on top. */
const MOST_BUFFERED = 10 * MIB;
const HEALTHY = 4;
const VIEWER = 'token-of-the-viewer';

/** In this process, because only its own numbers tell what waits in it for whom. */
async function startHub(folder: string): Promise<Hub> {
  const tokenOf = (name: string, type: 'ai_engine' | 'frontend', token: string) => ({
    name,
    type,
    sha256: createHash('sha256').update(token).digest('hex'),
    scopes: USUAL_SCOPES,
  });
  return Hub.start({
    host: '127.0.0.1',
    port: 0,
    dataDir: folder,
    tokens: [tokenOf('site', 'ai_engine', 'site'), tokenOf('viewer', 'frontend', VIEWER)],
    log: createLogger({ level: 'error', name: 'hub' }),
    clock: systemClock,
    random: Math.random,
  });
}

test('21 a subscriber that reads 1 kB/s: the others miss nothing, the hub holds little for it, it gets all in the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'apex-fault-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const hub = await startHub(folder);
  onTestFinished(() => hub.stop());
  const url = `ws://127.0.0.1:${hub.address.port}/ws`;
  const link = await FaultyLink.open(hub.address);
  const healthy = Array.from({ length: HEALTHY }, () => new RecordingSubscriber(() => url, VIEWER));
  const slow = new RecordingSubscriber(() => link.url, VIEWER);
  await waitFor('all have subscribed', () => hub.stats().subscribers === HEALTHY + 1);
  link.shape({ bytesPerSecond: 1000 });

  const home = { folder, hub: { url, tokenOf: () => 'site' } };
  const site = Swarm.start(home, { name: 'site', count: 4, rate: 25, fillerBytes: 40_000 });
  let most = 0;
  // Until its share fills what the network takes, and then the hub's own memory.
  await waitFor('much has waited for the slow one', async () => {
    most = Math.max(most, hub.stats().bufferedBytes);
    const { issued } = await site.command('status');
    return issued * 40_000 > 40 * MIB;
  });
  await site.drained();
  const { lastEventId } = hub.stats();
  await waitFor('the healthy ones have all', () =>
    healthy.every(({ seen }) => seen.at(-1) === lastEventId),
  );
  const behind = lastEventId - (slow.seen.at(-1) ?? 0);
  console.log(
    `slow subscriber: ${behind} events behind, at most ${Math.round(most / 1024)} KiB held`,
  );
  expect(behind).toBeGreaterThan(500);
  expect(most).toBeGreaterThan(MIB);
  expect(most).toBeLessThan(MOST_BUFFERED);

  link.shape({ bytesPerSecond: null });
  await waitFor('the slow one has caught up', () => slow.seen.at(-1) === lastEventId);
  await site.stop();
  for (const subscriber of [...healthy, slow]) await subscriber.stop();
  await hub.stop();
  const record = readHubRecord(join(folder, 'hub.sqlite'));
  expect(everyAlertOnce(record, site.producers())).toEqual([]);
  for (const { seen } of [...healthy, slow]) expectSawAll(record, seen);
});
