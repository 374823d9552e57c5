import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LegacyHub } from '../integration/uplink/legacy-hub.ts';
import { waitFor } from '../support/program.ts';
import { footprintOf } from './support/footprint.ts';
import type { StoredMessage } from './support/hub-record.ts';
import { type LegacyFrame, LegacyPeer } from './support/legacy-peer.ts';
import { readProducerLog } from './support/producer-log.ts';
import { FaultScene } from './support/scene.ts';
import { IS_LONG, seconds } from './support/seed.ts';
import { Swarm } from './support/swarm.ts';

const PEERS = IS_LONG ? 50 : 20;
const BEAT_MS = 250;
const HUB_BYTES = 400 * 1024 * 1024;
const RECORDED = JSON.parse(
  readFileSync(new URL('../fixtures/legacy-session.json', import.meta.url), 'utf8'),
) as LegacyFrame[];

test('20 clients of the original protocol among new ones: served in their own words, none is closed, each message is stored once', async () => {
  const edges = ['edge-1', 'fleet', 'legacy'];
  const rates = { alert: 10, detection: 50 };
  const scene = await FaultScene.create({ hub: { edges }, edge: { rates } });
  await scene.hub.open();
  await scene.edge.open();
  const fleet = Swarm.start(scene, { name: 'fleet', count: PEERS, rate: 2 });
  const { hub } = scene;
  const peers = await Promise.all(
    Array.from({ length: PEERS }, (_, index) =>
      introduced(scene, 'ai_engine', hub.tokenOf('legacy'), `legacy-${index}`),
    ),
  );
  const viewer = await introduced(scene, 'frontend', hub.viewerToken, 'legacy-viewer');
  await fleet.identified();

  const before = footprintOf(hub.process).bytes;
  const sent = await talk(peers, 1000 * seconds(6));
  const areAllShown = (): boolean => legacyIds(viewer).length >= sent.messages;
  await waitFor('the viewer has seen all', areAllShown, 30_000);
  await waitFor('all heartbeats are answered', () =>
    peers.every((peer) => peer.of('heartbeat_ack').length === sent.beats),
  );
  const after = footprintOf(hub.process).bytes;
  console.log(
    `${PEERS} old clients, ${sent.messages} messages: hub ${mib(before)} MiB, then ${mib(after)} MiB`,
  );
  expect(after).toBeLessThan(HUB_BYTES);
  expect(legacyIds(viewer).toSorted()).toEqual([...sent.ids].toSorted());
  for (const peer of [...peers, viewer]) expect(peer.closedWith).toBeNull();
  for (const peer of peers) {
    const said = new Set(peer.heard.map(({ type }) => type));
    expect([...said].toSorted()).toEqual(OWN_WORDS);
  }
  // The greeting goes out before the hub knows who is there.
  for (const { timestamp } of viewer.heard.slice(1))
    expect(Math.abs((timestamp ?? 0) - Date.now() / 1000)).toBeLessThan(3600);

  await fleet.drained();
  await fleet.stop();
  await scene.recovers();
  const record = await scene.verdict(fleet.producers(), ({ clientId }) => !isLegacy(clientId));
  const stored = record.events.filter(({ clientId }) => isLegacy(clientId));
  expect(stored.map(markOf).toSorted()).toEqual([...sent.ids].toSorted());
});

test('20 a recorded session of an original client, replayed twice: every answer comes, and every message is kept', async () => {
  const scene = await FaultScene.create({ edges: [], hub: { edges: ['recorded'] } });
  await scene.hub.open();
  for (let round = 1; round <= 2; round++) {
    const peer = await LegacyPeer.connect(scene.hub.url);
    for (const frame of RECORDED) peer.send(frame);
    await waitFor('both heartbeats are answered', () => peer.of('heartbeat_ack').length === 2);
    expect(peer.heard.map(({ type, request_id }) => [type, request_id])).toEqual([
      ['connection_established', undefined],
      ['identification_success', 'req_1'],
      ['heartbeat_ack', 2],
      ['heartbeat_ack', 'req_8'],
    ]);
    expect(peer.closedWith).toBeNull();
  }
  const record = await scene.verdict(new Map(), () => false);
  const types = record.events.map(({ type }) => type);
  // Those with a `request_id` were told to be the same; of the others nobody can know.
  expect(types.toSorted()).toEqual(
    [
      ...Array(4).fill('ai_detection_result'),
      ...Array(3).fill('alert_triggered'),
      'face_detection_result',
    ].toSorted(),
  );
});

test('20 an edge at a server of the original protocol: cut off again and again, every alert arrives', async () => {
  const server = await LegacyHub.start();
  const clientId = 'edge-1';
  const rates = { alert: 40, face: 20, detection: 100, status: 2 };
  const scene = await FaultScene.create({
    edge: { hubUrl: server.url, token: server.token, rates },
  });
  await scene.edge.open();
  try {
    let messages = 0;
    // Cut with messages behind it that were not answered for.
    server.onMessage = (frame, ws) => {
      if (frame.type.endsWith('_result') && ++messages % 200 === 0) ws.terminate();
      return ws.readyState !== ws.OPEN;
    };
    await waitFor('five cuts', () => server.connections > 5, 60_000);
    server.onMessage = () => false;
    await scene.edge.command('rates', { rates: {} });
    await scene.drained();
    expect((await scene.edge.command('status')).uplink?.deliveryLevel).toBe('process');
    await scene.edge.stop();
  } finally {
    server.end();
  }
  const { obligated } = readProducerLog(scene.edge.options.log);
  const alerts = [...obligated].filter((id) => id.startsWith('alert:'));
  const arrived = server.of('alert_triggered').map(({ data }) => (data.data as { id: string }).id);
  console.log(`${clientId}: ${alerts.length} alerts, ${arrived.length} arrivals`);
  expect(alerts.length).toBeGreaterThan(0);
  expect(alerts.filter((id) => !arrived.includes(id))).toEqual([]);
  expect(new Set(arrived).size).toBe(alerts.length);
  // Again come those that were not answered for, not those that are kept for a hub that lost its disk.
  expect(arrived.length).toBeLessThan(1.5 * alerts.length);
});

const OWN_WORDS = ['connection_established', 'heartbeat_ack', 'identification_success'];

async function introduced(
  { hub }: FaultScene,
  type: string,
  token: string,
  id: string,
): Promise<LegacyPeer> {
  const peer = await LegacyPeer.connect(hub.url);
  peer.identify(type, token, id);
  await waitFor('the peer is welcomed', () => peer.of('identification_success').length === 1);
  return peer;
}

/** Alerts, detections and heartbeats of all peers for so long. */
async function talk(
  peers: readonly LegacyPeer[],
  forMs: number,
): Promise<{ readonly ids: readonly string[]; readonly messages: number; readonly beats: number }> {
  const ids: string[] = [];
  const end = performance.now() + forMs;
  let beat = 0;
  for (; performance.now() < end; beat++) {
    for (const [index, peer] of peers.entries()) {
      const timestamp = Date.now() / 1000;
      const [alert, detection] = ['a', 'd'].map((kind) => `mark-${kind}-${index}-${beat}`);
      ids.push(alert ?? '', detection ?? '');
      const camera = { camera_id: `cam-${index}`, timestamp };
      peer.request('alert_triggered', {
        ...camera,
        type: 'intrusion',
        severity: 'HIGH',
        data: { id: alert },
      });
      peer.request('ai_detection_result', { ...camera, detections: [], id: detection });
      peer.request('heartbeat', { client_time: timestamp });
    }
    await delay(BEAT_MS);
  }
  return { ids, messages: ids.length, beats: beat };
}

const MARK = /mark-[ad]-\d+-\d+/;

function legacyIds(viewer: LegacyPeer): string[] {
  return viewer.heard.flatMap(({ data }) => MARK.exec(JSON.stringify(data ?? null)) ?? []);
}

function isLegacy(clientId: string): boolean {
  return clientId.startsWith('legacy-');
}

function markOf({ body }: StoredMessage): string {
  return MARK.exec(body)?.[0] ?? '';
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
