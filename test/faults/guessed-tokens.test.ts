import { expect, test } from 'vitest';
import { frameOf, HostilePeer } from './support/hostile-peer.ts';
import { readHubRecord } from './support/hub-record.ts';
import { FaultScene } from './support/scene.ts';

test('24 an attacker without a token has no effect at all', async () => {
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
