import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { waitFor } from '../../support/program.ts';
import { EDGE_TOKEN, HubScene, hash, VIEWER_TOKEN } from './hub-scene.ts';
import { alerts, type Frame, RawClient } from './raw-client.ts';

let scene: HubScene;

beforeEach(() => {
  scene = new HubScene();
});
afterEach(() => scene.end());

function edge(url: string, clientId: string, cameras?: string[]): Promise<RawClient> {
  return RawClient.identified(url, { token: EDGE_TOKEN, clientId, more: { cameras } });
}

function viewer(url: string, clientId = 'v-1'): Promise<RawClient> {
  return RawClient.identified(url, { token: VIEWER_TOKEN, clientId, type: 'frontend' });
}

const EPOCH = '01980a5e-3c1f-7b2a-9c4d-5e6f70819203';

describe('the way of a stream request', () => {
  test.each([
    ['stream_start_request', 'start_stream_processing', 'stream_start_success', 'low'],
    ['stream_stop_request', 'stop_stream_processing', 'stream_stop_success', undefined],
    ['stream_quality_change', 'change_stream_processing', 'stream_quality_success', { fps: 2 }],
  ])('%s', async (asked, ordered, answered, quality) => {
    const { hub, url } = await scene.start();
    const box = await edge(url, 'e-1', ['gate']);
    await edge(url, 'e-2', ['dock']);
    const desk = await viewer(url);
    const other = await viewer(url, 'v-2');
    desk.send(asked, { camera_id: 'gate', quality }, 'mine');
    const order = await box.next(ordered);
    expect(order.data).toEqual({ camera_id: 'gate', ...(quality && { quality }) });
    expect(order.request_id).not.toBe('mine');
    const applied = { fps: 2, width: 640, height: 360 };
    box.send(answered, { camera_id: 'gate', quality: applied }, order.request_id);
    const answer = await desk.next(answered);
    expect(answer).toMatchObject({
      request_id: 'mine',
      data: { camera_id: 'gate', quality: applied },
    });
    other.send('heartbeat', { mono_ms: 1 });
    await other.next('heartbeat_ack');
    expect(other.frames.map(({ type }) => type)).not.toContain(answered);
    expect(hub.stats()).toMatchObject({ streamRequests: 1, openStreamRequests: 0, cameras: 2 });
  });

  test('an edge of the original protocol is asked and answers in its own words', async () => {
    const { url } = await scene.start();
    const box = await legacy(url, 'ai_engine', EDGE_TOKEN, 'old-box');
    box.send('ai_engine_status', { cameras: [{ camera_id: 'yard' }] });
    const desk = await viewer(url);
    desk.send('subscribe', { types: ['*'], cameras: ['*'], after_event_id: 0 });
    await desk.next('ai_engine_status');
    desk.send('stream_start_request', { camera_id: 'yard' }, 'a');
    const order = await box.next('start_stream_processing');
    // Without the id, as its programs may.
    box.send('stream_start_success', { camera_id: 'yard' });
    expect((await desk.next('stream_start_success')).request_id).toBe('a');
    desk.send('stream_stop_request', { camera_id: 'yard' }, 'b');
    const stop = await box.next('stop_stream_processing');
    expect(stop.request_id).not.toBe(order.request_id);
    box.send('error', { code: 'busy', message: 'not now' }, stop.request_id);
    expect(await desk.next('stream_stop_error')).toMatchObject({
      request_id: 'b',
      data: { code: 'busy', message: 'not now' },
    });
  });

  test('a viewer of the original protocol asks with numbers and nulls', async () => {
    const { url } = await scene.start();
    const box = await edge(url, 'e-1', ['gate']);
    const desk = await legacy(url, 'frontend', VIEWER_TOKEN);
    desk.sendRaw({
      type: 'stream_start_request',
      timestamp: 1767225600.5,
      request_id: 7,
      data: { camera_id: 'gate', rtsp_url: null, quality: 'low' },
    });
    const order = await box.next('start_stream_processing');
    expect(order.data).toEqual({ camera_id: 'gate', quality: 'low' });
    box.send('stream_start_success', { camera_id: 'gate' }, order.request_id);
    const answer = await desk.next('stream_start_success');
    expect(answer.request_id).toBe(7);
    expect((answer as { timestamp?: number }).timestamp).toBeLessThan(1e11);
    desk.sendRaw({ type: 'stream_quality_change', request_id: 8, data: { camera_id: 'gate' } });
    expect(await desk.next('error')).toMatchObject({
      request_id: 8,
      data: { code: 'invalid_frame' },
    });
  });
});

describe('asked again', () => {
  test('the same request waits for the same answer and gets it again, over connections', async () => {
    const { url } = await scene.start();
    const box = await edge(url, 'e-1', ['gate']);
    const first = await viewer(url);
    first.send('stream_start_request', { camera_id: 'gate' }, 'r');
    const order = await box.next('start_stream_processing');
    first.close();
    const second = await viewer(url);
    second.send('stream_start_request', { camera_id: 'gate' }, 'r');
    second.send('stream_stop_request', { camera_id: 'gate' }, 'r');
    expect((await second.next('stream_stop_error')).data.code).toBe('request_conflict');
    box.send('stream_start_success', { camera_id: 'gate' }, order.request_id);
    await second.next('stream_start_success');
    second.send('stream_start_request', { camera_id: 'gate' }, 'r');
    await second.next('stream_start_success');
    const orders = box.frames.filter(({ type }) => type === 'start_stream_processing');
    expect(orders).toHaveLength(1);
  });

  test('of another client it is another request', async () => {
    const { url } = await scene.start();
    const box = await edge(url, 'e-1', ['gate']);
    for (const id of ['v-1', 'v-2'])
      (await viewer(url, id)).send('stream_start_request', { camera_id: 'gate' }, 'r');
    const ids = [
      await box.next('start_stream_processing'),
      await box.next('start_stream_processing'),
    ];
    expect(new Set(ids.map(({ request_id: id }) => id)).size).toBe(2);
  });
});

describe('without an edge that answers', () => {
  test('a camera that nobody has', async () => {
    const { url } = await scene.start();
    const desk = await viewer(url);
    const ask = async (data: object): Promise<Frame['data']> => {
      desk.send('stream_start_request', { camera_id: 'new', ...data }, JSON.stringify(data));
      return (await desk.next('stream_start_error')).data;
    };
    const rtsp_url = 'rtsp://192.0.2.7/a';
    expect((await ask({})).message).toContain('rtsp_url');
    expect((await ask({ rtsp_url })).message).toContain('no edge is connected');
    const one = await edge(url, 'e-1', []);
    desk.send('stream_start_request', { camera_id: 'new', rtsp_url }, 'to the only one');
    expect((await one.next('start_stream_processing')).data.rtsp_url).toBe(rtsp_url);
    const two = await edge(url, 'e-2', ['taken']);
    expect(await ask({ rtsp_url, x: 1 })).toMatchObject({
      code: 'camera_unknown',
      message: expect.stringContaining('edge_id'),
    });
    desk.send('stream_start_request', { camera_id: 'new', rtsp_url, edge_id: 'e-2' }, 'named');
    expect((await two.next('start_stream_processing')).data).toEqual({
      camera_id: 'new',
      rtsp_url,
    });
    expect((await ask({ camera_id: 'taken', edge_id: 'e-1' })).code).toBe('camera_conflict');
    expect((await ask({ rtsp_url, edge_id: 'e-9' })).code).toBe('camera_unknown');
  });

  test('an edge that is away, goes away, or is silent', async () => {
    const limits = { ...DEFAULT_HUB_LIMITS, streamRequestTimeoutMs: 300 };
    const { hub, url } = await scene.start({ limits });
    const box = await edge(url, 'e-1', ['gate']);
    const desk = await viewer(url);
    desk.send('stream_start_request', { camera_id: 'gate' }, 'silent');
    const order = await box.next('start_stream_processing');
    expect((await desk.next('stream_start_error')).data).toMatchObject({
      code: 'edge_timeout',
      retryable: true,
    });
    box.send('stream_start_success', { camera_id: 'gate' }, order.request_id);
    await waitFor('the late answer', () => hub.stats().streamAnswersUnasked === 1);
    desk.send('stream_stop_request', { camera_id: 'gate' }, 'lost');
    await box.next('stop_stream_processing');
    box.close();
    expect((await desk.next('stream_stop_error')).data.code).toBe('edge_offline');
    desk.send('stream_stop_request', { camera_id: 'gate' }, 'away');
    expect((await desk.next('stream_stop_error')).data.code).toBe('edge_offline');
    const back = await edge(url, 'e-1', ['gate']);
    // It was never ordered, so the same request may be made again.
    desk.send('stream_stop_request', { camera_id: 'gate' }, 'away');
    await back.next('stop_stream_processing');
  });

  test('too many requests of one viewer', async () => {
    const { hub, url } = await scene.start();
    await edge(url, 'e-1', ['gate']);
    const desk = await viewer(url);
    for (let n = 0; n <= 32; n++) desk.send('stream_stop_request', { camera_id: 'gate' }, `r${n}`);
    expect(await desk.next('stream_stop_error')).toMatchObject({
      request_id: 'r32',
      data: { code: 'too_many_requests' },
    });
    expect(hub.stats().openStreamRequests).toBe(32);
  });
});

describe('whose a camera is', () => {
  test('two edges that announce one id are both told; the first one keeps it', async () => {
    const { hub, url } = await scene.start();
    const one = await edge(url, 'e-1', ['gate', 'dock']);
    const two = await edge(url, 'e-2', ['gate']);
    const told = [await one.next('error'), await two.next('error')];
    expect(told.map(({ data }) => data.code)).toEqual(['camera_conflict', 'camera_conflict']);
    expect(told[0]?.data.message).toMatch(/e-2.*gate/);
    expect(told[1]?.data.message).toMatch(/gate.*e-1/);
    expect(hub.stats()).toMatchObject({ contestedCameras: 1, cameraConflicts: 1, cameras: 2 });
    const desk = await viewer(url);
    desk.send('stream_stop_request', { camera_id: 'gate' }, 'a');
    await one.next('stop_stream_processing');
    one.send('cameras_changed', { cameras: ['dock'] });
    await waitFor('the end of the conflict', () => hub.stats().contestedCameras === 0);
    desk.send('stream_stop_request', { camera_id: 'gate' }, 'b');
    await two.next('stop_stream_processing');
  });

  test('an edge that announces nothing has the cameras of its messages', async () => {
    const { hub, url } = await scene.start();
    const box = await edge(url, 'e-1');
    box.batch({ epoch: EPOCH, lane: 0 }, alerts(1, 1, { camera: 'gate' }));
    await box.next('batch_ack');
    expect(hub.stats().cameras).toBe(1);
    const desk = await viewer(url);
    desk.send('stream_stop_request', { camera_id: 'gate' }, 'a');
    await box.next('stop_stream_processing');
  });

  test('an edge gets no camera beyond its token, whatever it delivers and whoever names it', async () => {
    const scopes = { ...USUAL_SCOPES, cameras: ['yard'] };
    const yard: HubToken = { name: 'yard', type: 'ai_engine', sha256: hash('yard-token'), scopes };
    const others: HubToken[] = [
      { name: 'viewer', type: 'frontend', sha256: hash(VIEWER_TOKEN), scopes: USUAL_SCOPES },
    ];
    const { hub, url } = await scene.start({ tokens: [yard, ...others] });
    const box = await RawClient.identified(url, { token: 'yard-token', clientId: 'e-1' });
    box.batch({ epoch: EPOCH, lane: 0 }, alerts(1, 1, { camera: 'gate' }));
    await box.next('batch_ack');
    box.batch({ epoch: EPOCH, lane: 0 }, alerts(2, 1, { camera: 'yard' }));
    await box.next('batch_ack');
    expect(hub.stats()).toMatchObject({ cameras: 1, quarantined: 1 });
    const desk = await viewer(url);
    const request = { camera_id: 'gate', rtsp_url: 'rtsp://user:secret@cam/a', edge_id: 'e-1' };
    desk.send('stream_start_request', request, 'a');
    expect((await desk.next('stream_start_error')).data.code).toBe('forbidden');
    expect(box.frames.map(({ type }) => type)).not.toContain('start_stream_processing');
  });

  test('conflicts that another edge makes are not held against the one that has the camera', async () => {
    const { hub, url } = await scene.start();
    const cameras = Array.from({ length: 250 }, (_, index) => `camera-${index}`);
    const one = await edge(url, 'e-1', cameras);
    for (let round = 0; round < 6; round++) (await edge(url, `e-${round + 2}`, cameras)).ws.close();
    await waitFor('all conflicts', () => hub.stats().cameraConflicts >= 6 * cameras.length);
    one.send('heartbeat', { mono_ms: 1 });
    await one.next('heartbeat_ack');
    expect(hub.stats().flowViolations).toBe(0);
  });

  test('who has no part in it is refused', async () => {
    const { url } = await scene.start();
    const box = await edge(url, 'e-1', ['gate']);
    const desk = await viewer(url);
    box.send('stream_start_request', { camera_id: 'gate' }, 'x');
    desk.send('cameras_changed', { cameras: ['gate'] }, 'y');
    desk.send('stream_start_success', { camera_id: 'gate' }, 'z');
    expect((await box.next('error')).data.code).toBe('forbidden');
    expect((await desk.next('error')).data.code).toBe('forbidden');
    expect((await desk.next('error')).data.code).toBe('forbidden');
  });
});

/** A client of the original protocol. */
async function legacy(url: string, type: string, token: string, clientId?: string) {
  const client = await RawClient.connect(url);
  const sendRaw = (frame: object): void => client.ws.send(JSON.stringify(frame));
  const data = { client_type: type, auth_token: token, client_id: clientId ?? null };
  sendRaw({ type: 'client_identify', timestamp: 1767225600.5, data });
  await client.next('identification_success');
  return Object.assign(client, { sendRaw });
}
