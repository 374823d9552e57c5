import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { WebSocket } from 'ws';
import type { BoundingBox } from '../../../../src/protocol/detection.ts';
import { iou } from '../../../../src/tracking/box.ts';
import { detectOffline } from '../../../../src/vision/detect-offline.ts';
import { ApiBox, tokenOf, type VisitorName } from '../../../support/api-box.ts';
import { modelPath, testWithAssets } from '../../../support/assets.ts';
import { pictureParts } from '../../../support/picture-parts.ts';
import { waitFor } from '../../../support/program.ts';

const test = testWithAssets(
  { models: 'yolov8n.onnx' },
  { media: 'one-by-one-person-detection.mp4' },
  { media: 'people-walking.mp4' },
);
const box = new ApiBox('api-live');

beforeAll(async () => {
  await box.start();
  await box.streaming();
}, 60_000);
afterAll(() => box.stop());

interface Frame {
  type: string;
  request_id?: string;
  event_id?: number;
  data: Record<string, never>;
}

/** Somebody at `/ws`. */
class Viewer {
  readonly frames: Frame[] = [];
  closeCode: number | null = null;
  readonly #ws: WebSocket;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data) => this.frames.push(JSON.parse(String(data)) as Frame));
    ws.on('close', (code) => {
      this.closeCode = code;
    });
  }

  static async open(token: string, clientType = 'frontend'): Promise<Viewer> {
    const ws = box.socket();
    const viewer = new Viewer(ws);
    await once(ws, 'open');
    viewer.send('client_identify', {
      ...{ client_id: 'page-1', client_type: clientType, auth: { token }, protocol: 2 },
    });
    await waitFor('an answer', () => viewer.#find('identification_success', 'error'));
    return viewer;
  }

  send(type: string, data: object, requestId = type): void {
    const frame = { type, timestamp: Date.now(), request_id: requestId, data };
    this.#ws.send(JSON.stringify(frame));
  }

  answer(...types: string[]): Promise<Frame> {
    return waitFor(types.join(' or '), () => this.#find(...types));
  }

  close(): void {
    this.#ws.close();
  }

  #find(...types: string[]): Frame | undefined {
    return this.frames.find(({ type }) => types.includes(type));
  }
}

async function ticketOf(as: VisitorName): Promise<string> {
  const { ticket } = (await box.json(as, '/api/live_ticket', { method: 'POST' })) as {
    ticket: string;
  };
  return ticket;
}

async function detectedIn(jpeg: Uint8Array): Promise<BoundingBox[]> {
  const input = join(box.folder, 'part.jpg');
  writeFileSync(input, jpeg);
  const request = { model: modelPath('yolov8n.onnx'), threshold: 0.25, reference: false };
  const found: BoundingBox[] = [];
  for await (const { detections } of detectOffline({
    ...{ ...request, input, frames: null, labels: ['person'] },
    ...{ ffmpegPath: 'ffmpeg', preparedDir: box.folder },
  }))
    found.push(...detections);
  return found;
}

const everything = { types: ['*'], cameras: ['*'] };

describe('/ws', () => {
  test('tells who has a ticket what the cameras see', async () => {
    const viewer = await Viewer.open(await ticketOf('viewer'));
    viewer.send('subscribe', everything);
    const seen = await viewer.answer('ai_detection_result');
    expect(seen.data).toMatchObject({
      camera_id: expect.any(String),
      detections: expect.any(Array),
    });
    const numbers = viewer.frames.flatMap(({ event_id: id }) => id ?? []);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    viewer.close();
  });

  test('tells who was away what came meanwhile', async () => {
    const first = await Viewer.open(tokenOf('viewer'));
    first.send('subscribe', everything);
    const { event_id: last = 0 } = await first.answer('ai_detection_result', 'object_event');
    first.close();
    await waitFor('something more', async () => {
      const again = await Viewer.open(tokenOf('viewer'));
      again.send('subscribe', { ...everything, after_event_id: last });
      await again.answer('subscription_success');
      const next = again.frames.find(({ event_id: id }) => id !== undefined);
      again.close();
      return next?.event_id === last + 1;
    });
  });

  test('shows nobody more cameras than their token has', async () => {
    const viewer = await Viewer.open(await ticketOf('limited'));
    viewer.send('subscribe', everything);
    const other = await Viewer.open(await ticketOf('viewer'));
    other.send('subscribe', { ...everything, cameras: ['yard'] });
    await other.answer('ai_detection_result');
    await viewer.answer('subscription_success');
    const cameras = viewer.frames.flatMap(({ data }) => data.camera_id ?? []);
    expect(new Set(cameras).has('yard' as never)).toBe(false);
    viewer.close();
    other.close();
  });

  test('a ticket is good once, and a token for people delivers nothing', async () => {
    const ticket = await ticketOf('viewer');
    (await Viewer.open(ticket)).close();
    const again = await Viewer.open(ticket);
    expect(await again.answer('error')).toMatchObject({ data: { code: 'auth_failed' } });
    const engine = await Viewer.open(tokenOf('admin'), 'ai_engine');
    expect(await engine.answer('error')).toMatchObject({ data: { code: 'auth_failed' } });
  });

  test('operators stop and start cameras, viewers do not', async () => {
    const viewer = await Viewer.open(tokenOf('viewer'));
    viewer.send('stream_stop_request', { camera_id: 'yard' });
    expect(await viewer.answer('error')).toMatchObject({ data: { code: 'forbidden' } });
    const operator = await Viewer.open(tokenOf('operator'));
    operator.send('stream_stop_request', { camera_id: 'yard' });
    await operator.answer('stream_stop_success');
    expect(await box.json('viewer', '/api/cameras/yard')).toMatchObject({ state: 'stopped' });
    operator.send('stream_start_request', { camera_id: 'yard' });
    await operator.answer('stream_start_success');
    viewer.close();
    operator.close();
  });

  test('ends with the session that it was opened from', async () => {
    const login = await box.fetch(null, '/api/login', {
      method: 'POST',
      body: { token: tokenOf('viewer') },
    });
    const [Cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';');
    const headers = { Cookie, 'X-Apex-Csrf': '1' };
    const asked = await box.fetch(null, '/api/live_ticket', { method: 'POST', headers });
    const { ticket } = (await asked.json()) as { ticket: string };
    const viewer = await Viewer.open(ticket);
    await viewer.answer('identification_success');
    await box.fetch(null, '/api/logout', { method: 'POST', headers });
    await waitFor('it is closed', () => viewer.closeCode !== null, 3000);
    expect(viewer.closeCode).toBe(4401);
  });
});

describe('live pictures', () => {
  test('come with the objects of their very frame', async () => {
    const gone = new AbortController();
    const response = await box.fetch('viewer', '/api/cameras/yard/live.mjpeg?max_width=320', {
      signal: gone.signal,
    });
    const frames: number[] = [];
    for await (const { cameraId, frameId, objects, jpeg } of pictureParts(response)) {
      expect(cameraId).toBe('yard');
      expect(await sharp(jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 320 });
      frames.push(frameId);
      if (frames.length < 3 || objects.length === 0) continue;
      expect(objects[0]).toMatchObject({ label: 'person', box: { x: expect.any(Number) } });
      break;
    }
    gone.abort();
    expect(frames).toEqual([...new Set(frames)].sort((a, b) => a - b));
  });

  test('agree with what the detector sees in the very picture that was sent', async () => {
    const response = await box.fetch('viewer', '/api/cameras/yard/live.mjpeg?max_width=1280');
    const places = new Set<string>();
    let least = 1;
    for await (const { objects, jpeg } of pictureParts(response)) {
      const [moving] = objects;
      // Each picture shows them somewhere else.
      if (moving === undefined || places.has(moving.box.x.toFixed(2))) continue;
      places.add(moving.box.x.toFixed(2));
      const found = await detectedIn(jpeg);
      for (const { box: shown } of objects)
        least = Math.min(least, Math.max(0, ...found.map((there) => iou(shown, there))));
      if (places.size === 5) break;
    }
    console.log(`least overlap with the reference: ${least.toFixed(2)}`);
    expect(least).toBeGreaterThanOrEqual(0.7);
  });

  test('of several cameras on one connection, and of no other', async () => {
    const seen = new Set<string>();
    const all = await box.fetch('viewer', '/api/live.mjpeg');
    for await (const { cameraId } of pictureParts(all)) if (seen.add(cameraId).size === 2) break;
    expect([...seen].sort()).toEqual(['hall', 'yard']);
    const own = await box.fetch('limited', '/api/live.mjpeg');
    let count = 0;
    for await (const { cameraId } of pictureParts(own)) {
      expect(cameraId).toBe('hall');
      if (++count === 3) break;
    }
    expect((await box.fetch('limited', '/api/live.mjpeg?cameras=yard')).status).toBe(404);
    expect((await box.fetch('limited', '/api/cameras/yard/latest.jpg')).status).toBe(404);
  });

  test('end where the token is no longer good', async () => {
    const body = { name: 'guest', role: 'viewer' };
    const { token } = (await box.json('admin', '/api/access', { method: 'POST', body })) as {
      token: string;
    };
    const headers = { Authorization: `Bearer ${token}` };
    const response = await box.fetch(null, '/api/live.mjpeg', { headers });
    const parts = pictureParts(response);
    expect((await parts.next()).done).toBe(false);
    await box.fetch('admin', '/api/access/guest', { method: 'DELETE' });
    const drained = async (): Promise<boolean> => {
      try {
        for await (const _ of parts);
      } catch {
        // Cut off in the middle of a part.
      }
      return true;
    };
    expect(await drained()).toBe(true);
    expect((await box.fetch(null, '/api/profile', { headers })).status).toBe(401);
  }, 10_000);

  test('the newest one alone', async () => {
    const response = await box.fetch('viewer', '/api/cameras/hall/latest.jpg?max_width=640');
    expect(response.status).toBe(200);
    const picture = sharp(Buffer.from(await response.arrayBuffer()));
    expect(await picture.metadata()).toMatchObject({ format: 'jpeg', width: 640 });
  });
});

test('who is limited to a camera sees no other one anywhere', async () => {
  const seen = JSON.stringify([
    await box.json('limited', '/api/status'),
    await box.json('limited', '/api/cameras'),
    await box.json('limited', '/api/events?limit=500'),
    await box.json('limited', '/api/alerts?limit=500'),
    await box.json('limited', '/api/events?cameras=yard'),
  ]);
  expect(seen).toContain('"hall"');
  expect(seen).not.toContain('yard');
  const { events } = (await waitFor('an event of the yard', async () => {
    const page = (await box.json('viewer', '/api/events?cameras=yard')) as {
      events: { event_id: string }[];
    };
    return page.events.length > 0 && page;
  })) as { events: { event_id: string }[] };
  const path = `/api/events/${events[0]?.event_id}`;
  expect((await box.fetch('viewer', path)).status).toBe(200);
  expect((await box.fetch('limited', path)).status).toBe(404);
  expect((await box.fetch('limited', `${path}/snapshot.jpg`)).status).toBe(404);
});
