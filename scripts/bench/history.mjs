// How long a page of history takes over HTTP with a million stored events.
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from '../../dist/hub/hub.js';
import { HubDatabase } from '../../dist/hub/store/hub-database.js';
import { USUAL_SCOPES } from '../../dist/protocol/scopes.js';
import { systemClock } from '../../dist/system/clock.js';
import { silentLogger } from '../../dist/system/logger.js';
import { latencies, machine } from './stats.mjs';

const TOKEN = 'bench';
const CAMERAS = 50;
const CLIENTS = 10;
const TYPES = ['ai_detection_result', 'ai_detection_result', 'object_event', 'ai_engine_status'];
const SEVERITIES = ['low', 'medium', 'high', 'critical'];
const DAY_MS = 24 * 3600 * 1000;
const LIMIT = 200;

function item(seq, atMs) {
  // One in 50 is an alert.
  const isAlert = seq % 50 === 0;
  const cameraId = `camera-${Math.floor(Math.random() * CAMERAS)}`;
  const severity = isAlert ? { severity: SEVERITIES[(seq / 50) % 4] } : {};
  const type = isAlert ? 'alert_triggered' : TYPES[seq % TYPES.length];
  const body = JSON.stringify({ camera_id: cameraId, ...severity, padding: 'x'.repeat(350) });
  const facts = { correctedMs: null, clockSuspect: false, replayed: false, status: 0 };
  const place = { seq, toSeq: seq, messageId: randomUUID(), schemaVersion: 1 };
  return { ...place, ...facts, type, cameraId, deviceMs: Math.round(atMs), body };
}

function fill(dataDir, events, fromMs) {
  const database = new HubDatabase(join(dataDir, 'hub.sqlite'), fromMs);
  const streams = Array.from({ length: CLIENTS }, () => ({
    epoch: randomUUID(),
    lane: 1,
    firstSeq: 1,
  }));
  const stepMs = DAY_MS / events;
  for (let done = 0, round = 0; done < events; round++) {
    const stream = streams[round % CLIENTS];
    const first = Math.floor(round / CLIENTS) * 1000 + 1;
    const items = Array.from({ length: 1000 }, (_, index) =>
      item(first + index, fromMs + (done + index) * stepMs),
    );
    const clientId = `edge-${round % CLIENTS}`;
    database.writeGroup([{ op: 'store', batch: { clientId, stream, receivedMs: fromMs, items } }]);
    done += items.length;
  }
  database.close();
}

const pick = (name, count) => `${name}-${Math.floor(Math.random() * count)}`;

function queries(fromMs) {
  const time = () => `to=${Math.round(fromMs + Math.random() * DAY_MS)}`;
  return {
    'no filter': time,
    camera: () => `camera=${pick('camera', CAMERAS)}&${time()}`,
    'five cameras': () =>
      `${Array.from({ length: 5 }, () => `camera=${pick('camera', CAMERAS)}`).join('&')}&${time()}`,
    type: () => `type=object_event&${time()}`,
    severity: () => `severity=high&${time()}`,
    client: () => `client=${pick('edge', CLIENTS)}&${time()}`,
    'camera and severity': () => `camera=${pick('camera', CAMERAS)}&severity=critical&${time()}`,
    'camera and type': () => `camera=${pick('camera', CAMERAS)}&type=alert_triggered&${time()}`,
    'type that is not there': () => `type=nothing&client=${pick('edge', CLIENTS)}&${time()}`,
    following: () => `after_event_id=${Math.floor(Math.random() * 1e6)}`,
  };
}

async function measure(base, query, rounds) {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const times = [];
  let events = 0;
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    const response = await fetch(`${base}/api/v1/events?limit=${LIMIT}&${query()}`, { headers });
    const page = await response.json();
    times.push(performance.now() - begun);
    events += page.events.length;
  }
  return { ...latencies(times), events: Math.round(events / rounds) };
}

export async function runHistoryBench({ quick, json }) {
  const dataDir = mkdtempSync(join(tmpdir(), 'apex-bench-history-'));
  const events = quick ? 20_000 : 1_000_000;
  const fromMs = Date.now() - DAY_MS;
  try {
    fill(dataDir, events, fromMs);
    const sha256 = createHash('sha256').update(TOKEN).digest('hex');
    const hub = await Hub.start({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      tokens: [{ name: 'bench', type: 'frontend', sha256, scopes: USUAL_SCOPES }],
      log: silentLogger,
      clock: systemClock,
      random: Math.random,
    });
    const base = `http://127.0.0.1:${hub.address.port}`;
    const results = {};
    for (const [name, query] of Object.entries(queries(fromMs)))
      results[name] = await measure(base, query, quick ? 20 : 300);
    await hub.stop();
    const megabytes = Math.round(statSync(join(dataDir, 'hub.sqlite')).size / 1e6);
    if (json) console.log(JSON.stringify({ events, megabytes, results }));
    else {
      console.log(machine(dataDir));
      console.log(`${events} events, ${megabytes} MB; pages of ${LIMIT} over HTTP`);
      console.table(results);
    }
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}
