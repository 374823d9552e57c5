import { randomUUID } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EDGE_TOKEN, HubScene } from './hub-scene.ts';
import { alertItem, alerts, type Identity, RawClient } from './raw-client.ts';

let scene: HubScene;
let url: string;
let hub: Awaited<ReturnType<HubScene['start']>>['hub'];

beforeEach(async () => {
  scene = new HubScene();
  ({ hub, url } = await scene.start());
});
afterEach(() => scene.end());

const streamOf = (epoch: string, nextSeq = 1) => ({
  epoch,
  lane: 0,
  first_seq: 1,
  next_seq: nextSeq,
});

function edge(change: Partial<Identity>): Promise<RawClient> {
  return RawClient.identified(url, { token: EDGE_TOKEN, ...change });
}

async function refused(change: Partial<Identity>): Promise<void> {
  const client = await RawClient.connect(url);
  client.identify({ token: EDGE_TOKEN, ...change });
  expect((await client.next('error')).data).toMatchObject({ code: 'epoch_fork', retryable: false });
  expect(await client.closed).toBe(1013);
}

async function deliver(client: RawClient, epoch: string, first: number, count = 1): Promise<void> {
  client.batch({ epoch, lane: 0 }, alerts(first, count));
  const { data } = await client.next('batch_ack');
  expect(data.acks[0].acked_through).toBe(first + count - 1);
}

describe('two copies of one edge', () => {
  test('a machine image that runs on is turned away until it has an epoch of its own', async () => {
    const epoch = randomUUID();
    const original = await edge({ streams: [streamOf(epoch)] });
    const image = original.sessionToken;
    await deliver(original, epoch, 1);
    original.close();
    const later = await edge({ streams: [streamOf(epoch, 2)], sessionToken: image });
    await deliver(later, epoch, 2);
    await refused({ streams: [streamOf(epoch, 2)], sessionToken: image });
    // Who is refused pushes nobody out.
    await deliver(later, epoch, 3);
    const renewed = randomUUID();
    const streams = [streamOf(epoch, 2), streamOf(renewed)];
    const copy = await edge({ streams, sessionToken: image });
    expect(await later.closed).toBe(4409);
    await deliver(copy, renewed, 1);
    expect(hub.stats()).toMatchObject({ epochForks: 1, messagesStored: 4, duplicates: 0 });
    copy.close();
  });

  test('a cloned card that starts anew, and a data folder that lost its token, are taken', async () => {
    const epoch = randomUUID();
    const original = await edge({ streams: [streamOf(epoch)] });
    await deliver(original, epoch, 1);
    const ofClone = randomUUID();
    const clone = await edge({ streams: [streamOf(epoch, 2), streamOf(ofClone)] });
    await deliver(clone, ofClone, 1);
    expect(hub.stats()).toMatchObject({ epochForks: 0, superseded: 1 });
    clone.close();
  });

  test('both running clones deliver all they have, by turns', async () => {
    const tokens: (string | null)[] = [null, null];
    const epochs = [randomUUID(), randomUUID()];
    const nextSeq = [1, 1];
    for (let turn = 0; turn < 6; turn++) {
      const who = turn % 2;
      let identity = {
        streams: [streamOf(epochs[who]!, nextSeq[who]!)],
        sessionToken: tokens[who]!,
      };
      if (turn >= 2) {
        await refused(identity);
        epochs[who] = randomUUID();
        nextSeq[who] = 1;
        identity = { ...identity, streams: [streamOf(epochs[who]!)] };
      }
      const clone = await edge(identity);
      tokens[who] = clone.sessionToken;
      await deliver(clone, epochs[who]!, nextSeq[who]!, 3);
      nextSeq[who]! += 3;
    }
    expect(hub.stats()).toMatchObject({ messagesStored: 18, duplicates: 0, epochForks: 4 });
  });

  test('a known number on another message is no duplicate: it is stored', async () => {
    const epoch = randomUUID();
    const client = await edge({ streams: [streamOf(epoch)] });
    await deliver(client, epoch, 1, 2);
    client.batch({ epoch, lane: 0 }, [alertItem(2)]);
    expect((await client.next('batch_ack')).data.acks[0].acked_through).toBe(2);
    expect(hub.stats()).toMatchObject({ messagesStored: 3, duplicates: 0, forked: 1 });
    client.close();
  });
});

describe('one edge is never taken for two', () => {
  test('when the answer that had its new token was lost, as often as it happens', async () => {
    const epoch = randomUUID();
    const first = await edge({ streams: [streamOf(epoch)] });
    await deliver(first, epoch, 1);
    first.close();
    for (let lost = 0; lost < 3; lost++) {
      const streams = [streamOf(epoch, 2)];
      (await edge({ streams, sessionToken: first.sessionToken })).close();
    }
    const again = await edge({ streams: [streamOf(epoch, 2)], sessionToken: first.sessionToken });
    await deliver(again, epoch, 2);
    again.close();
  });

  test('when the very first answer was lost', async () => {
    const epoch = randomUUID();
    (await edge({ streams: [streamOf(epoch)] })).close();
    const again = await edge({ streams: [streamOf(epoch)] });
    await deliver(again, epoch, 1);
    again.close();
  });

  test('when the hub was restored from a backup', async () => {
    const epoch = randomUUID();
    const first = await edge({ streams: [streamOf(epoch)] });
    await deliver(first, epoch, 1);
    await scene.stop(hub);
    const file = join(scene.dataDir, 'hub.sqlite');
    copyFileSync(file, `${file}.backup`);
    ({ hub, url } = await scene.start());
    const second = await edge({ streams: [streamOf(epoch, 2)], sessionToken: first.sessionToken });
    await deliver(second, epoch, 2);
    const third = await edge({ streams: [streamOf(epoch, 3)], sessionToken: second.sessionToken });
    await deliver(third, epoch, 3);
    await scene.stop(hub);
    copyFileSync(`${file}.backup`, file);
    ({ hub, url } = await scene.start());
    const after = await edge({ streams: [streamOf(epoch, 4)], sessionToken: third.sessionToken });
    await deliver(after, epoch, 2, 2);
    expect(hub.stats()).toMatchObject({ epochForks: 0 });
    after.close();
  });

  test('for longer than it takes to see that it cannot begin an epoch', async () => {
    const epoch = randomUUID();
    const first = await edge({ streams: [streamOf(epoch)] });
    await deliver(first, epoch, 1);
    const stuck = { streams: [streamOf(epoch, 2)], sessionToken: '0.stale' };
    await refused(stuck);
    await refused(stuck);
    const forgiven = await edge(stuck);
    await deliver(forgiven, epoch, 2);
    expect(hub.stats()).toMatchObject({ epochForks: 2 });
    forgiven.close();
  });
});
