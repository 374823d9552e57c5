import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { waitFor } from '../support/program.ts';
import { footprintOf } from './support/footprint.ts';
import { BROKEN_BYTES, hostileText } from './support/hostile-frames.ts';
import { frameOf, HostilePeer } from './support/hostile-peer.ts';
import { readHubRecord } from './support/hub-record.ts';
import { everyAlertOnce } from './support/invariants.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { SEED } from './support/seed.ts';
import { RecordingSubscriber } from './support/subscriber.ts';
import { percentile, Swarm } from './support/swarm.ts';

/** A million in the long form, `npm run test:hostile`. */
const FRAMES = Number(process.env.APEX_HOSTILE_FRAMES ?? 20_000);
const PER_CONNECTION = 200;
const PEERS = 8;
const MEASURED_MS = 3000;
const MIB = 1024 * 1024;
/** Frames of the hostile come by these names, so that what they may have stored can be told apart. */
const HOSTILE = 'hostile';

/** 99th percentile of the time from making an alert to its acknowledgement, milliseconds, while the work goes on. */
async function measuredDuring(swarm: Swarm, work: Promise<unknown>): Promise<number> {
  await swarm.command('latencies');
  await work;
  return percentile(await swarm.command('latencies'), 0.99);
}

class Attack {
  sent = 0;
  connections = 0;
  readonly #scene: FaultScene;
  readonly #texts: fc.GeneratorValue;

  constructor(scene: FaultScene, texts: fc.GeneratorValue) {
    this.#scene = scene;
    this.#texts = texts;
  }

  async run(frames: number): Promise<void> {
    const peer = async (index: number): Promise<void> => {
      for (let round = index; this.sent < frames; round++) await this.#connection(round);
    };
    await Promise.all(Array.from({ length: PEERS }, (_, index) => peer(index)));
  }

  /** Strangers, a viewer and an edge take turns; each ends with what breaks the framing. */
  async #connection(round: number): Promise<void> {
    const { hub } = this.#scene;
    const peer = await [
      () => HostilePeer.upgraded(hub.port),
      () => this.#identified('frontend', hub.viewerToken, round),
      () => this.#identified('ai_engine', hub.tokenOf(HOSTILE), round),
    ][round % 3]?.();
    if (peer === undefined) throw new Error('no peer');
    this.connections++;
    for (let count = 0; count < PER_CONNECTION && !peer.isClosed; count += 20) {
      const some = Array.from({ length: 20 }, () => this.#texts(() => hostileText));
      peer.write(Buffer.concat(some));
      this.sent += some.length;
      await peer.flushed();
    }
    const last = BROKEN_BYTES[round % BROKEN_BYTES.length];
    if (last !== undefined) peer.write(last);
    this.sent++;
    await peer.flushed();
    await peer.end();
  }

  #identified(type: string, token: string, round: number): Promise<HostilePeer> {
    return HostilePeer.identified(this.#scene.hub.port, {
      client_id: `${HOSTILE}-${round}`,
      client_type: type,
      auth: { token },
      capabilities: ['deflate_raw'],
      ...(type === 'ai_engine' && {
        boot_id: 'b',
        session_token: null,
        clock: { mono_ms: 1 },
        resume: { streams: [] },
      }),
    });
  }
}

/** Half of a request, of a frame, of a header: none of it may keep a connection. */
function halfOpen(port: number): HostilePeer[] {
  const upgrade = 'GET /ws HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  const openings = [
    '',
    'G',
    upgrade,
    `${upgrade}Sec-WebSocket-Version: 13\r\n\r\n`,
    `${upgrade}Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 99\r\n\r\n`,
    `GET /ws HTTP/1.1\r\n${Array.from({ length: 3000 }, (_, index) => `X-${index}: y\r\n`).join('')}\r\n`,
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    `${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  ];
  return openings.map((opening) => {
    const peer = HostilePeer.open(port);
    peer.write(opening);
    return peer;
  });
}

test(`${FRAMES} hostile frames: the hub stays, nothing comes of them, others lose nothing`, async () => {
  const scene = await FaultScene.create({ edges: [], hub: { edges: ['modest', HOSTILE] } });
  await scene.hub.open();
  const { hub } = scene;
  const modest = Swarm.start(scene, { name: 'modest', count: 4, rate: 10 });
  await modest.identified();
  const viewer = new RecordingSubscriber(() => hub.url, hub.viewerToken);
  const sample: fc.GeneratorValue = generator();
  // The first attack warms the hub up, so that what stays afterwards is a leak.
  await new Attack(scene, sample).run(FRAMES / 10);
  const alone = await measuredDuring(modest, delay(MEASURED_MS));
  const before = footprintOf(hub.process);

  const slow = halfOpen(hub.port);
  const attack = new Attack(scene, sample);
  const beside = await measuredDuring(modest, attack.run(FRAMES));
  expect(attack.sent).toBeGreaterThanOrEqual(FRAMES);
  expect(hub.process.hasEnded).toBe(false);

  // Those who never say who they are: the last of them is gone when its time is up.
  await Promise.all(slow.map(({ closed }) => closed));
  await waitFor('the descriptors are back', () => {
    return footprintOf(hub.process).handles <= before.handles;
  });
  const grownMib = (footprintOf(hub.process).bytes - before.bytes) / MIB;
  console.log(
    `${attack.sent} hostile frames over ${attack.connections} connections; acknowledged at p99 after ` +
      `${Math.round(alone)} ms alone, ${Math.round(beside)} ms beside; the hub grew by ${Math.round(grownMib)} MiB`,
  );
  expect(grownMib).toBeLessThan(128);

  await modest.drained(60_000);
  await modest.stop();
  const { events } = readHubRecord(hub.databasePath);
  const newest = events.at(-1)?.eventId ?? 0;
  await waitFor('the viewer has all', () => (viewer.seen.at(-1) ?? 0) >= lastShown(events, newest));
  await viewer.stop();
  await hub.stop();
  const record = readHubRecord(hub.databasePath);
  // Strangers and viewers store nothing; of the hostile edge nothing is kept under another's name.
  const writers = new Set(record.events.map(({ clientId }) => clientId.split('-')[0]));
  writers.delete(HOSTILE);
  expect([...writers]).toEqual(['modest']);
  const own = {
    ...record,
    events: record.events.filter(({ clientId }) => !clientId.startsWith(HOSTILE)),
  };
  expect(everyAlertOnce(own, modest.producers())).toEqual([]);
  expectSawAll(record, viewer.seen);
}, 3_600_000);

function lastShown(events: readonly { eventId: number; status: number }[], newest: number): number {
  return events.findLast(({ status }) => status === 0 || status === 2)?.eventId ?? newest;
}

/** Values by the seed of the run, so that a failure can be repeated. */
function generator(): fc.GeneratorValue {
  const random = fc.sample(fc.gen(), { seed: SEED, numRuns: 1 })[0];
  if (random === undefined) throw new Error('no generator');
  return random;
}

test('an attacker without a token has no effect at all', async () => {
  const scene = await FaultScene.create({ edges: [], hub: { edges: ['modest'] } });
  await scene.hub.open();
  const { hub } = scene;
  const guess = { client_id: 'x', client_type: 'frontend', capabilities: [], protocol: 2 };
  for (const token of [
    '',
    'x',
    hub.viewerToken.slice(1),
    `${hub.viewerToken} `,
    hub.tokenOf('modest'),
  ]) {
    const peer = await HostilePeer.upgraded(hub.port);
    const data = { ...guess, auth: { token } };
    peer.write(frameOf(JSON.stringify({ type: 'client_identify', timestamp: 1, data })));
    peer.write(
      frameOf(JSON.stringify({ type: 'subscribe', timestamp: 1, data: { types: ['*'] } })),
    );
    await peer.closed;
    expect(peer.received).not.toContain('identification_success');
    expect(peer.received).not.toContain('subscription_success');
  }
  const health = await fetch(hub.url.replace('ws:', 'http:').replace('/ws', '/api/health'));
  expect(await health.json()).toMatchObject({ websocket: { connected_clients: 0 } });
  await hub.stop();
  expect(readHubRecord(hub.databasePath)).toEqual({ events: [], streams: [] });
});
