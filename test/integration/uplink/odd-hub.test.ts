import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/program.ts';
import { fastClock } from './fast-clock.ts';
import { OddHub, type ReadBatch } from './odd-hub.ts';
import { alert, detection, UplinkScene } from './uplink-scene.ts';

let hub: OddHub;
let scene: UplinkScene;

beforeEach(async () => {
  hub = await OddHub.start();
  scene = new UplinkScene('odd');
  await scene.open();
});

afterEach(async () => {
  await scene.end();
  hub.end();
});

const emptied = () => waitFor('an empty queue', async () => (await scene.depth()) === 0);
const logged = () => scene.log.lines.join('\n');

describe('uplink to a hub that misbehaves', () => {
  test('a hub that never acknowledges is given up, and everything is sent again', async () => {
    hub.onBatch = (batch, peer, connection) => {
      if (connection > 1) peer.ack(batch);
    };
    await scene.store.enqueue([alert(1), detection(1)]);
    const uplink = scene.uplink(hub.url, { clock: fastClock });
    uplink.start();
    await emptied();
    expect(logged()).toContain('UPLINK_TIMEOUT');
    expect(hub.peers.length).toBeGreaterThanOrEqual(2);
    expect(hub.seqs.flat().filter((seq) => seq === 1).length).toBeGreaterThanOrEqual(3);
  });

  test('a connection that breaks in the middle of a batch is resumed behind what the hub has', async () => {
    hub.onBatch = (batch, peer, connection) => {
      if (connection > 1) return peer.ack(batch);
      const { epoch, lane } = batch.data;
      hub.acked = [{ epoch, lane, acked_through: 2 }];
      peer.terminate();
    };
    await scene.store.enqueue([alert(1), alert(2), alert(3)]);
    scene.uplink(hub.url).start();
    await emptied();
    expect(hub.seqs).toEqual([[1, 2, 3], [3]]);
  });

  test('repeated and late acknowledgements change nothing', async () => {
    hub.onBatch = (batch, peer) => {
      peer.ack(batch);
      peer.ack(batch);
      if (batch.data.first_seq > 1) peer.ack(batch, batch.data.first_seq - 1);
    };
    const uplink = scene.uplink(hub.url);
    uplink.start();
    for (let n = 0; n < 20; n++) await scene.store.enqueue([alert(n)]);
    await emptied();
    expect(hub.seqs.flat()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(hub.peers).toHaveLength(1);
  });

  test('an acknowledgement of what was never sent ends the connection and deletes nothing', async () => {
    hub.onBatch = (batch, peer, connection) => {
      if (connection === 1) peer.ack(batch, 1000);
      else if (connection === 3) peer.ack(batch);
      else peer.terminate();
    };
    await scene.store.enqueue([alert(1), alert(2)]);
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor('the second try', () => hub.peers.length >= 2);
    expect(logged()).toContain('UPLINK_PROTOCOL');
    await emptied();
    expect(hub.seqs).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  test('a refused message goes to the dead letters and the next ones go on', async () => {
    hub.onBatch = (batch, peer) => {
      const { epoch, lane, items } = batch.data;
      const rejected = items
        .filter(({ seq }) => seq === 2)
        .map(({ seq }) => ({ seq, code: 'schema_invalid', message: 'no', quarantined: true }));
      const acks = [{ epoch, lane, acked_through: items.at(-1)?.seq }];
      peer.send('batch_ack', { acks, rejected }, batch.request_id);
    };
    await scene.store.enqueue([alert(1), alert(2), alert(3)]);
    scene.uplink(hub.url).start();
    await emptied();
    expect((await scene.store.queue()).deadLetters).toBe(1);
  });

  test('a resync is answered from the number that the hub expects', async () => {
    let isAsked = false;
    hub.onBatch = (batch, peer) => {
      if (isAsked) return peer.ack(batch);
      isAsked = true;
      const { epoch, lane } = batch.data;
      peer.send('resync_required', { epoch, lane, expected_seq: 2, reason: 'sequence_gap' });
    };
    await scene.store.enqueue([alert(1), alert(2), alert(3)]);
    scene.uplink(hub.url).start();
    await emptied();
    expect(hub.seqs).toEqual([
      [1, 2, 3],
      [2, 3],
    ]);
  });

  test('a resync behind what is deleted is answered with a gap', async () => {
    await scene.store.enqueue([detection(1), detection(2), detection(3)]);
    scene.uplink(hub.url).start();
    await emptied();
    const [{ data }] = hub.batches as [ReadBatch];
    hub.peer.send('resync_required', { ...data, expected_seq: 2, reason: 'restored' });
    await waitFor('the gap', () => hub.batches.length === 2);
    expect(hub.batches[1]?.data.items).toEqual([
      { seq: 2, gap: { from_seq: 2, to_seq: 3, count: 2, reason: 'hub_regression' } },
    ]);
  });

  test('a resync behind delivered alerts brings them once more', async () => {
    await scene.store.enqueue([alert(1), alert(2), alert(3)]);
    scene.uplink(hub.url).start();
    await emptied();
    const [{ data }] = hub.batches as [ReadBatch];
    hub.peer.send('resync_required', { ...data, expected_seq: 2, reason: 'restored' });
    await waitFor('the alerts', () => hub.batches.length === 2);
    expect(hub.seqs[1]).toEqual([2, 3]);
  });

  test('the same resync again ends the connection instead of going round', async () => {
    hub.onBatch = (batch, peer, connection) => {
      const { epoch, lane } = batch.data;
      if (connection > 1) peer.ack(batch);
      else peer.send('resync_required', { epoch, lane, expected_seq: 1, reason: 'again' });
    };
    await scene.store.enqueue([alert(1)]);
    scene.uplink(hub.url).start();
    await emptied();
    expect(hub.seqs).toEqual([[1], [1], [1]]);
  });

  test('without credit nothing goes out until the hub gives some', async () => {
    hub.credit = { credit_messages: 0, credit_bytes: 0 };
    await scene.store.enqueue([alert(1), detection(1)]);
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor('authenticated', () => uplink.status.state === 'authenticated');
    await scene.store.enqueue([alert(2)]);
    expect(hub.batches).toHaveLength(0);
    hub.peer.send('flow_update', { credit_messages: 512, credit_bytes: 1048576 });
    await emptied();
    expect(hub.batches[0]?.data.lane).toBe(0);
  });

  test('a draining hub is left alone for as long as it says', async () => {
    hub.onBatch = (batch, peer, connection) => {
      peer.ack(batch);
      if (connection > 1) return;
      peer.send('server_draining', { reconnect_after_ms: 300, deadline_ms: 1000 });
      peer.close(1012);
    };
    await scene.store.enqueue([alert(1)]);
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor(
      'the end',
      () =>
        hub.peers.length === 1 &&
        uplink.status.state === 'disconnected' &&
        hub.batches.length === 1,
    );
    const { since, lastError, attempts } = uplink.status;
    expect({ lastError, attempts }).toEqual({ lastError: null, attempts: 0 });
    await waitFor('the return', () => uplink.status.state === 'authenticated');
    expect(uplink.status.since - since).toBeGreaterThanOrEqual(290);
  });

  test('after a fork the messages go out under a new epoch', async () => {
    hub.onIdentify = (frame, peer, connection) => {
      if (connection > 1) return hub.welcome(frame, peer);
      const error = { code: 'epoch_fork', message: 'another has this epoch', retryable: false };
      peer.send('error', error, frame.request_id);
    };
    await scene.store.enqueue([alert(1), detection(1)]);
    const before = scene.store.position.epoch;
    scene.uplink(hub.url).start();
    await emptied();
    expect(hub.batches.map(({ data }) => data.epoch === before)).toEqual([false, false]);
    expect(hub.seqs).toEqual([[1], [1]]);
  });

  test('a hub that has more than was given out makes the edge begin a new epoch', async () => {
    hub.onIdentify = (frame, peer, connection) => {
      const [stream] = frame.data.resume?.streams ?? [];
      hub.acked =
        connection === 1 && stream ? [{ epoch: stream.epoch, lane: 0, acked_through: 70 }] : [];
      hub.welcome(frame, peer);
    };
    await scene.store.enqueue([alert(1), alert(2)]);
    const before = scene.store.position.epoch;
    scene.uplink(hub.url).start();
    await emptied();
    expect(scene.store.position.epoch).not.toBe(before);
    expect(hub.seqs).toEqual([[1, 2]]);
  });

  test('frames that are not of the protocol end the connection, unknown ones do not', async () => {
    const uplink = scene.uplink(hub.url);
    uplink.start();
    await waitFor('authenticated', () => uplink.status.state === 'authenticated');
    hub.peer.sendText('{"type":"from_the_future","timestamp":1,"data":{}}');
    await scene.store.enqueue([alert(1)]);
    await emptied();
    expect(hub.peers).toHaveLength(1);
    hub.peer.sendText('{"type":"batch_ack","timestamp":1,"data":{"acks":"many"}}');
    await waitFor('the second connection', () => hub.peers.length === 2);
    expect(logged()).toContain('UPLINK_PROTOCOL');
  });

  test('more abandoned epochs than one introduction can name are all sent', async () => {
    const lives = 104;
    await scene.abandon(lives);
    hub.onBatch = (batch, peer) => {
      const { epoch, lane } = batch.data;
      const last = batch.data.items.at(-1)?.seq ?? 0;
      hub.acked = [...hub.acked, { epoch, lane, acked_through: last }];
      peer.ack(batch);
    };
    scene.uplink(hub.url).start();
    await emptied();
    expect(hub.seqs.flat()).toEqual(Array.from({ length: lives }, (_, index) => index + 1));
    expect(hub.identified).toHaveLength(2);
  });

  test('alerts behind more epochs of other lanes than one introduction can name are all sent', async () => {
    await scene.abandon(102, detection);
    await scene.abandon(3);
    hub.onBatch = (batch, peer) => {
      const { epoch, lane } = batch.data;
      const last = batch.data.items.at(-1)?.seq ?? 0;
      hub.acked = [...hub.acked, { epoch, lane, acked_through: last }];
      peer.ack(batch);
    };
    scene.uplink(hub.url).start();
    await emptied();
    const alerts = hub.batches.filter(({ data }) => data.lane === 0);
    expect(alerts.flatMap(({ data }) => data.items.map(({ seq }) => seq))).toEqual([1, 2, 3]);
  });

  test('a message that makes the hub refuse its batch gives way to a gap, and the others go on', async () => {
    let refusedOn = 0;
    hub.onBatch = (batch, peer, connection) => {
      // What follows a refused batch on its connection leaves a hole, and no hub acknowledges over one.
      if (refusedOn === connection) return;
      const isRefused = batch.data.items.some((item) => !('gap' in item) && item.seq === 2);
      if (isRefused) {
        refusedOn = connection;
        const refusal = { code: 'invalid_frame', message: 'no', retryable: false };
        return peer.send('error', refusal, batch.request_id);
      }
      const { epoch, lane } = batch.data;
      hub.acked = [{ epoch, lane, acked_through: batch.data.items.at(-1)?.seq ?? 0 }];
      peer.ack(batch);
    };
    await scene.store.enqueue([alert(1), alert(2), alert(3)]);
    scene.uplink(hub.url).start();
    await emptied();
    expect((await scene.store.queue()).deadLetters).toBe(1);
    const gaps = hub.batches.flatMap(({ data }) => data.items.filter((item) => 'gap' in item));
    expect(gaps).toMatchObject([
      { seq: 2, gap: { from_seq: 2, to_seq: 2, count: 1, reason: 'poison' } },
    ]);
    expect(hub.seqs.filter((seqs) => seqs.length === 1 && seqs[0] === 2)).toHaveLength(4);
    expect(hub.seqs[0]).toEqual([1, 2, 3]);
    expect(hub.seqs.flat()).toContain(3);
    // What can be said of the alert without its payload still reaches the hub.
    const last = hub.batches.at(-1)?.data.items[0];
    expect(last && 'data' in last ? last.data : last).toMatchObject({
      type: 'intrusion',
      camera_id: 'cam-1',
      severity: 'high',
      data: { original_unreadable: true, reason: 'no' },
    });
  });

  test('an idle connection is kept by heartbeats', async () => {
    const uplink = scene.uplink(hub.url, { clock: fastClock });
    uplink.start();
    await waitFor(
      'two heartbeats',
      () => hub.frames.filter(({ type }) => type === 'heartbeat').length >= 2,
    );
    expect(hub.peers).toHaveLength(1);
    expect(uplink.status).toMatchObject({ state: 'authenticated', attempts: 0 });
  });
});

describe('uplink to something else', () => {
  test.each([
    [401, 'UPLINK_AUTH_FAILED'],
    [404, 'UPLINK_REFUSED'],
    [503, 'UPLINK_UNREACHABLE'],
  ])('an HTTP %i instead of a WebSocket is %s', async (status, code) => {
    const server = createServer((_, response) => response.writeHead(status).end());
    server.on('upgrade', (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const uplink = scene.uplink(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    uplink.start();
    const error = await waitFor('an error', () => uplink.status.lastError);
    expect(error.code).toBe(code);
    await uplink.stop({ drainMs: 0 });
    server.close();
  });

  test('a closed port is tried again and again without an end', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const uplink = scene.uplink(`ws://127.0.0.1:${port}`);
    uplink.start();
    await waitFor('five attempts', () => uplink.status.attempts >= 5);
    expect(uplink.status.lastError?.code).toBe('UPLINK_UNREACHABLE');
    expect(scene.log.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  });

  test('a server that accepts and says nothing is given up', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const uplink = scene.uplink(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    uplink.start();
    const error = await waitFor('an error', () => uplink.status.lastError);
    expect(error.code).toBe('UPLINK_UNREACHABLE');
    await uplink.stop({ drainMs: 0 });
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test('a WebSocket server that does not introduce itself is given up', async () => {
    hub.greets = false;
    const uplink = scene.uplink(hub.url, { clock: fastClock });
    uplink.start();
    const error = await waitFor('an error', () => uplink.status.lastError);
    expect(error.code).toBe('UPLINK_TIMEOUT');
  });
});
