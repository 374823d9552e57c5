import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  StreamAnswer,
  StreamOrder,
  StreamRequestHandler,
} from '../../../src/uplink/stream-orders.ts';
import { waitFor } from '../../support/program.ts';
import { LegacyHub } from './legacy-hub.ts';
import { OddHub } from './odd-hub.ts';
import { UplinkScene } from './uplink-scene.ts';

/** Cameras that do what the test says. */
class Cameras implements StreamRequestHandler {
  ids: readonly string[] = ['gate'];
  readonly orders: StreamOrder[] = [];
  /** What an order comes to. */
  answer: (order: StreamOrder) => Promise<StreamAnswer> = () => Promise.resolve({ isDone: true });

  cameras(): readonly string[] {
    return this.ids;
  }

  handle(order: StreamOrder): Promise<StreamAnswer> {
    this.orders.push(order);
    return this.answer(order);
  }
}

let scene: UplinkScene;
let cameras: Cameras;

beforeEach(async () => {
  scene = new UplinkScene('orders');
  await scene.open();
  cameras = new Cameras();
});

afterEach(() => scene.end());

describe('orders of a hub of the current protocol', () => {
  let hub: OddHub;

  beforeEach(async () => {
    hub = await OddHub.start();
  });
  afterEach(() => hub.end());

  const framesOf = (type: string) => hub.frames.filter((frame) => frame.type === type);

  async function connected(connections = 1): Promise<void> {
    await waitFor('heartbeats', () => hub.peers.length >= connections && framesOf('heartbeat')[0]);
  }

  test('cameras are announced, and again when they change', async () => {
    scene.uplink(hub.url, { requests: cameras }).start();
    await connected();
    expect(hub.identified[0]?.data.cameras).toEqual(['gate']);
    expect(framesOf('cameras_changed')).toEqual([]);
    cameras.ids = ['gate', 'dock'];
    const changed = await waitFor('the new list', () => framesOf('cameras_changed')[0]);
    expect(changed.data).toEqual({ cameras: ['gate', 'dock'] });
  });

  test('a camera that another edge has too is in the status once, until the next connection', async () => {
    const uplink = scene.uplink(hub.url, { requests: cameras });
    uplink.start();
    await connected();
    const data = { code: 'camera_conflict', message: 'gate is of e-2', retryable: false };
    for (const _ of [1, 2]) hub.peers[0]?.send('error', data);
    await waitFor('the conflict', () => uplink.status.cameraConflicts.length > 0);
    expect(uplink.status).toMatchObject({
      state: 'authenticated',
      cameraConflicts: [data.message],
    });
    hub.peers[0]?.close(1012);
    await waitFor('another connection', () => hub.identified.length > 1);
    await waitFor('nothing of the last one', () => uplink.status.cameraConflicts.length === 0);
  });

  test('what would make the introduction too long is announced behind it', async () => {
    cameras.ids = Array.from({ length: 300 }, (_, n) => `${'c'.repeat(100)}-${n}`);
    scene.uplink(hub.url, { requests: cameras }).start();
    const changed = await waitFor('the list', () => framesOf('cameras_changed')[0]);
    expect(hub.identified[0]?.data.cameras).toBeUndefined();
    expect((changed.data as { cameras: string[] }).cameras).toEqual(cameras.ids.slice(0, 256));
  });

  test('an order is carried out once, and its answer outlives the connection', async () => {
    let finish: (answer: StreamAnswer) => void = () => undefined;
    cameras.answer = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    scene.uplink(hub.url, { requests: cameras }).start();
    await connected();
    const order = { camera_id: 'gate', quality: 'low' };
    hub.peers[0]?.send('start_stream_processing', order, 'o-1');
    await waitFor('the order', () => cameras.orders.length === 1);
    hub.peers[0]?.terminate();
    await waitFor(
      'another connection',
      () => hub.peers.length === 2 && hub.identified.length === 2,
    );
    hub.peers[1]?.send('start_stream_processing', order, 'o-1');
    hub.peers[1]?.send('stop_stream_processing', { camera_id: 'gate' }, 'o-1');
    const conflict = await waitFor('the conflict', () => framesOf('stream_stop_error')[0]);
    expect(conflict).toMatchObject({ request_id: 'o-1', data: { code: 'request_conflict' } });
    finish({ isDone: true, quality: { fps: 2, width: 320, height: 180 } });
    await waitFor('the answer', () => framesOf('stream_start_success').length === 1);
    hub.peers[1]?.send('start_stream_processing', order, 'o-1');
    await waitFor('the same again', () => framesOf('stream_start_success').length === 2);
    const [first, second] = framesOf('stream_start_success');
    expect(first?.data).toEqual({
      camera_id: 'gate',
      quality: { fps: 2, width: 320, height: 180 },
    });
    expect(second?.data).toEqual(first?.data);
    expect(cameras.orders).toEqual([{ kind: 'start', cameraId: 'gate', quality: 'low' }]);
  });

  test('a failure says why', async () => {
    const failure = {
      isDone: false,
      code: 'CAPTURE_DNS',
      message: 'no such host',
      isRetryable: true,
    };
    cameras.answer = () => Promise.resolve(failure);
    scene.uplink(hub.url, { requests: cameras }).start();
    await connected();
    hub.peers[0]?.send('change_stream_processing', { camera_id: 'gate', quality: { fps: 1 } }, 'o');
    const answer = await waitFor('the answer', () => framesOf('stream_quality_error')[0]);
    expect(answer).toMatchObject({
      request_id: 'o',
      data: { camera_id: 'gate', code: 'CAPTURE_DNS', message: 'no such host', retryable: true },
    });
  });
});

describe('orders of a hub of the original protocol', () => {
  test('are done; starts are answered under the id as it came', async () => {
    const hub = await LegacyHub.start();
    try {
      hub.onMessage = ({ type }, ws) => {
        if (type !== 'heartbeat' || cameras.orders.length > 0) return false;
        const send = (order: object) => ws.send(JSON.stringify({ timestamp: 1.5, ...order }));
        const start = {
          type: 'start_stream_processing',
          data: { camera_id: 'gate', quality: 'hd' },
        };
        send({ ...start, request_id: 7 });
        send({ ...start, data: { camera_id: 'dock', rtsp_url: null } });
        send({ type: 'stop_stream_processing', request_id: 7, data: { camera_id: 'gate' } });
        return false;
      };
      cameras.answer = ({ cameraId }) =>
        Promise.resolve(
          cameraId === 'gate'
            ? { isDone: true }
            : { isDone: false, code: 'CAMERA_UNKNOWN', message: 'which one?', isRetryable: false },
        );
      scene.uplink(hub.url, { requests: cameras }).start();
      await waitFor('answers', () => hub.of('stream_start_error')[0] && hub.of('heartbeat')[1]);
      expect(cameras.orders.slice(0, 3)).toEqual([
        { kind: 'start', cameraId: 'gate' },
        { kind: 'start', cameraId: 'dock' },
        { kind: 'stop', cameraId: 'gate' },
      ]);
      expect(hub.of('stream_start_success')[0]).toMatchObject({
        request_id: 7,
        data: { camera_id: 'gate' },
      });
      expect(hub.of('stream_start_error')[0]).not.toHaveProperty('request_id');
      expect(hub.of('stream_start_error')[0]?.data).toMatchObject({
        camera_id: 'dock',
        code: 'CAMERA_UNKNOWN',
      });
      expect(hub.frames.map(({ type }) => type)).not.toContain('stream_stop_success');
    } finally {
      hub.end();
    }
  });
});
