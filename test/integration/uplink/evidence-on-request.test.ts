import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EvidenceGiver } from '../../../src/edge/evidence-giver.ts';
import { dayOfEvent, makeEventId } from '../../../src/events/event-id.ts';
import type { EvidenceClass } from '../../../src/evidence/evidence-files.ts';
import { openEvidenceFolder } from '../../../src/evidence/evidence-removal.ts';
import { DailyAllowance } from '../../../src/evidence/upstream/daily-allowance.ts';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import type { Hub } from '../../../src/hub/hub.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { UplinkOptions } from '../../../src/uplink/uplink.ts';
import { LogLines } from '../../support/log-lines.ts';
import { waitFor } from '../../support/program.ts';
import { EDGE_TOKEN, HubScene, hash, httpOf, VIEWER_TOKEN } from '../hub/hub-scene.ts';
import { RawClient } from '../hub/raw-client.ts';
import { Authority } from './certificates.ts';
import { UplinkScene } from './uplink-scene.ts';

const OTHER_EDGE_TOKEN = 'other-edge-token';
const ID = makeEventId(Date.UTC(2026, 2, 5, 12), 1, () => 0.5);
const DAY_BYTES = 1e9;

const token = (name: string, change: Partial<HubToken> = {}): HubToken => ({
  ...{ name, type: 'frontend', sha256: hash(`${name}-token`), scopes: USUAL_SCOPES },
  ...change,
});
const TOKENS = [
  token('edge', { type: 'ai_engine' }),
  token('other-edge', { type: 'ai_engine' }),
  token('viewer'),
  token('yard', { scopes: { ...USUAL_SCOPES, cameras: ['yard'] } }),
  token('alerts', { scopes: { ...USUAL_SCOPES, receive: ['alert_triggered'] } }),
  token('nothing', { scopes: { ...USUAL_SCOPES, receive: [] } }),
];

let hubs: HubScene;
let hub: Hub;
let url: string;
let dir: string;
let edges: UplinkScene;
let taken: Record<string, number>;
let awaited: Set<string>;
let bytesPerDay: number;
let isEnabled: boolean;
let giver: EvidenceGiver;
let allowance: DailyAllowance;

beforeEach(async () => {
  hubs = new HubScene();
  const limits = { ...DEFAULT_HUB_LIMITS, streamRequestTimeoutMs: 400 };
  ({ hub, url } = await hubs.start({ tokens: TOKENS, limits }));
  dir = mkdtempSync(join(tmpdir(), 'apex-evidence-request-'));
  edges = new UplinkScene('evidence');
  await edges.open();
  taken = {};
  awaited = new Set();
  bytesPerDay = DAY_BYTES;
  isEnabled = true;
});
afterEach(async () => {
  await edges.end();
  await hubs.end();
  rmSync(dir, { recursive: true });
});

/** The edge as it is: its files, its allowance, its uplink. */
async function connect(address = url, more: Partial<UplinkOptions> = {}): Promise<void> {
  const files = await openEvidenceFolder(dir, new LogLines());
  const save = (sent: Readonly<Record<string, number>>) => {
    taken = { ...sent };
  };
  allowance = new DailyAllowance({ bytesPerDay, sent: {}, clock: systemClock, save });
  giver = new EvidenceGiver({
    evidence: {
      open: (kind, camera, id) => files[kind].open(camera, id),
      isAwaited: (_camera, id) => awaited.has(id),
    },
    ...{ allowance, isEnabled, clock: systemClock },
  });
  const requests = {
    cameras: () => ['gate'],
    handle: () => Promise.resolve({ isDone: false }),
  };
  const uplink = edges.uplink(address, { requests, evidence: giver, ...more });
  uplink.start();
  await waitFor('the camera at the hub', () => hub.stats().cameras === 1);
}

function keep(kind: EvidenceClass, content: Buffer, id = ID): Buffer {
  const folders = { snapshot: 'snapshots', face: 'faces', thumbnail: 'thumbnails', clip: 'clips' };
  const ending = kind === 'clip' ? 'mp4' : 'jpg';
  const path = join(dir, folders[kind], 'gate', dayOfEvent(id) ?? '', `${id}.${ending}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return content;
}

const ask = (what: string, bearer = VIEWER_TOKEN, init: RequestInit = {}): Promise<Response> =>
  fetch(`${httpOf(url)}/api/v1/cameras/${what}`, {
    ...init,
    headers: { Authorization: `Bearer ${bearer}` },
  });

async function codeOf(response: Response): Promise<[number, unknown]> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { code } = (await response.json()) as { code: unknown };
  return [response.status, code];
}

const sha = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const takenToday = () => Object.values(taken).reduce((sum, bytes) => sum + bytes, 0);

describe('a viewer', () => {
  test('gets each kind as the edge keeps it, with its type, and nothing is left at the hub', async () => {
    const contents = (['snapshot', 'face', 'thumbnail'] as const).map(
      (kind) => [kind, keep(kind, randomBytes(3000)), 'image/jpeg'] as const,
    );
    const all = [...contents, ['clip', keep('clip', randomBytes(3e6)), 'video/mp4'] as const];
    await connect();
    for (const [kind, content, type] of all) {
      const response = await ask(`gate/evidence/${kind}/${ID}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(type);
      expect(response.headers.get('content-length')).toBe(String(content.length));
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(sha(new Uint8Array(await response.arrayBuffer()))).toBe(sha(content));
    }
    const total = all.reduce((sum, [, content]) => sum + content.length, 0);
    await waitFor('the last answer', () => giver.counts.sent === 4);
    expect(takenToday()).toBe(total);
    expect(hub.stats()).toMatchObject({
      ...{ evidenceRequests: 4, evidenceFailed: 0, evidenceBytes: total, openEvidenceRequests: 0 },
    });
  });

  test('is told why there is nothing', async () => {
    keep('snapshot', randomBytes(2000));
    bytesPerDay = 1000;
    awaited.add(ID);
    await connect();
    const missing = makeEventId(Date.UTC(2026, 2, 5, 12), 2, () => 0.5);
    const table = [
      [`gate/evidence/face/${ID}`, 404, 'evidence_unknown'],
      [`gate/evidence/face/${missing}`, 404, 'evidence_unknown'],
      ['gate/evidence/face/..%2F..%2Fetc', 404, 'evidence_unknown'],
      [`gate/evidence/clip/${ID}`, 503, 'evidence_not_yet'],
      [`gate/evidence/snapshot/${ID}`, 429, 'evidence_allowance_spent'],
      [`elsewhere/evidence/snapshot/${ID}`, 404, 'camera_unknown'],
      [`gate/evidence/film/${ID}`, 400, 'invalid_request'],
    ] as const;
    for (const [what, status, code] of table)
      expect(await codeOf(await ask(what)), what).toEqual([status, code]);
    const spent = await ask(`gate/evidence/snapshot/${ID}`);
    const seconds = Number(spent.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(24 * 3600);
    expect(takenToday()).toBe(0);
    expect(giver.counts).toEqual({
      sent: 0,
      refused: { EVIDENCE_UNKNOWN: 3, EVIDENCE_NOT_YET: 1, EVIDENCE_ALLOWANCE_SPENT: 2 },
    });
  });

  test('gets nothing of an edge whose owner does not want it', async () => {
    keep('snapshot', randomBytes(2000));
    isEnabled = false;
    await connect();
    expect(await codeOf(await ask(`gate/evidence/snapshot/${ID}`))).toEqual([
      403,
      'evidence_requests_off',
    ]);
  });

  test('gets no more than its token allows', async () => {
    const clip = keep('clip', randomBytes(5000));
    await connect();
    const clips = `gate/evidence/clip/${ID}`;
    for (const bearer of ['yard-token', 'nothing-token', EDGE_TOKEN])
      expect(await codeOf(await ask(clips, bearer)), bearer).toEqual([403, 'forbidden']);
    for (const kind of ['snapshot', 'face', 'thumbnail'])
      expect(await codeOf(await ask(`gate/evidence/${kind}/${ID}`, 'alerts-token'))).toEqual([
        403,
        'forbidden',
      ]);
    expect(await codeOf(await ask(clips, 'wrong'))).toEqual([401, 'auth_failed']);
    const own = await ask(clips, 'alerts-token');
    expect(sha(new Uint8Array(await own.arrayBuffer()))).toBe(sha(clip));
    expect(hub.stats().evidenceRequests).toBe(1);
  });

  test('who reads slowly fills no memory, and who goes stops the upload', async () => {
    keep('clip', randomBytes(60e6));
    await connect();
    const request = httpRequest(`${httpOf(url)}/api/v1/cameras/gate/evidence/clip/${ID}`, {
      headers: { Authorization: `Bearer ${VIEWER_TOKEN}` },
    }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    answer.pause();
    // Buffers of sockets are filled, and no more comes.
    let seen = -1;
    await waitFor('the upload to stand still', async () => {
      const before = seen;
      seen = hub.stats().evidenceBytes;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return seen > 0 && seen === before;
    });
    expect(seen).toBeLessThan(30e6);
    request.destroy();
    const isOver = () => giver.counts.refused.EVIDENCE_UPLOAD_FAILED === 1;
    await waitFor('the end of the upload', isOver);
    expect(takenToday()).toBeLessThan(45e6);
    expect(takenToday()).toBeGreaterThan(0);
  });

  test('who asks for many at once gets them all, or is told to wait', async () => {
    const content = keep('snapshot', randomBytes(20_000));
    await connect();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => ask(`gate/evidence/snapshot/${ID}`)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(8);
    for (const answer of answers) {
      if (answer.status === 200)
        expect((await answer.arrayBuffer()).byteLength).toBe(content.length);
      else expect(await codeOf(answer)).toEqual([429, 'too_many_requests']);
    }
  });
});

describe('an edge', () => {
  const capable = { more: { cameras: ['gate'], capabilities: ['batch', 'resume', 'evidence'] } };

  const put = (requestId: string, body: Uint8Array<ArrayBuffer>, bearer = EDGE_TOKEN) =>
    fetch(`${httpOf(url)}/api/v1/evidence/${requestId}`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/octet-stream' },
      body,
    });

  async function ordered(edge: RawClient) {
    const asked = ask(`gate/evidence/snapshot/${ID}`);
    const { request_id: requestId = '' } = await edge.next('send_evidence');
    return { asked, requestId };
  }

  test('delivers once, and nobody delivers for it', async () => {
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN, ...capable });
    const { asked, requestId } = await ordered(edge);
    const content = new Uint8Array(randomBytes(1000));
    expect((await put(requestId, content, OTHER_EDGE_TOKEN)).status).toBe(404);
    expect((await put(requestId, content, VIEWER_TOKEN)).status).toBe(403);
    expect((await put(randomUUID(), content)).status).toBe(404);
    expect((await put('guess', content)).status).toBe(400);
    expect((await put(requestId, content)).status).toBe(204);
    expect(sha(new Uint8Array(await (await asked).arrayBuffer()))).toBe(sha(content));
    expect((await put(requestId, content)).status).toBe(404);
    edge.close();
  });

  test('that breaks off cuts the viewer off, who does not take it for whole', async () => {
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN, ...capable });
    const { asked, requestId } = await ordered(edge);
    const upload = httpRequest(`${httpOf(url)}/api/v1/evidence/${requestId}`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${EDGE_TOKEN}`, 'Content-Length': 100_000 },
    });
    upload.on('error', () => undefined);
    upload.write(randomBytes(10_000));
    const answer = await asked;
    expect(answer.status).toBe(200);
    upload.destroy();
    await expect(answer.arrayBuffer()).rejects.toThrow();
    edge.close();
  });

  test('that says nothing, goes, or is too old fails the request', async () => {
    const path = `gate/evidence/snapshot/${ID}`;
    const old = { more: { cameras: ['gate'] } };
    const outdated = await RawClient.identified(url, { token: EDGE_TOKEN, ...old });
    expect(await codeOf(await ask(path))).toEqual([501, 'edge_outdated']);
    outdated.close();
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN, ...capable });
    expect(await codeOf(await ask(path))).toEqual([504, 'edge_timeout']);
    await edge.next('send_evidence');
    const { asked } = await ordered(edge);
    edge.close();
    expect(await codeOf(await asked)).toEqual([503, 'edge_offline']);
    expect(await codeOf(await ask(path))).toEqual([503, 'edge_offline']);
  });

  test('its own words reach the viewer without secrets, an unknown reason as its failure', async () => {
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN, ...capable });
    const { asked, requestId } = await ordered(edge);
    const message = 'rtsp://admin:hunter2@10.0.0.7/s is gone';
    edge.send('send_evidence_error', { code: 'DISK_ON_FIRE', message }, requestId);
    const answer = await asked;
    const text = (await buffer(answer.body as never)).toString();
    expect(answer.status).toBe(502);
    expect(JSON.parse(text)).toMatchObject({ code: 'edge_failed' });
    expect(text).toContain('DISK_ON_FIRE');
    expect(text).not.toContain('hunter2');
    edge.close();
  });

  test('that would send too much is told so at once', async () => {
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN, ...capable });
    const { asked, requestId } = await ordered(edge);
    const upload = httpRequest(`${httpOf(url)}/api/v1/evidence/${requestId}`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${EDGE_TOKEN}`, 'Content-Length': 2 ** 30 },
    });
    upload.on('error', () => undefined);
    upload.flushHeaders();
    const [answer] = (await once(upload, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    upload.destroy();
    expect((await asked).status).toBe(504);
    edge.close();
  });
});

test('over TLS an edge uploads with the certificate of its uplink', async () => {
  const authority = new Authority('evidence');
  const server = authority.issue('IP:127.0.0.1');
  const client = authority.issue('DNS:edge', 2, 'edge');
  await hubs.stop(hub);
  const read = () => ({ cert: server.cert, key: server.key, ca: authority.own.cert });
  const tokens = [...TOKENS];
  ({ hub, url } = await hubs.start({ tokens, tls: { read, clientCertificates: 'accept' } }));
  const clip = keep('clip', randomBytes(2e6));
  const tls = { ca: authority.own.cert, cert: client.cert, key: client.key };
  await connect(url.replace('ws:', 'wss:'), { tls: () => tls });
  const address = `${httpOf(url).replace('http:', 'https:')}/api/v1/cameras/gate/evidence/clip/${ID}`;
  const headers = { Authorization: `Bearer ${VIEWER_TOKEN}` };
  const request = httpsRequest(address, { ca: authority.own.cert, headers }).end();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  expect(sha(await buffer(answer))).toBe(sha(clip));
});
