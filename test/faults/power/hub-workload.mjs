// An edge's batches into a hub over a real connection. Arguments: folder, URL of the compiled program, number of
// batches. Runs under recorder.c: each alert whose acknowledgement arrived is noted (`kept N`) in `marks`.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const [dir, dist, batches] = process.argv.slice(2);
const { Hub } = await import(new URL('hub/hub.js', dist));
const { systemClock: clock } = await import(new URL('system/clock.js', dist));
const { USUAL_SCOPES: scopes } = await import(new URL('protocol/scopes.js', dist));
const { silentLogger: log } = await import(new URL('system/logger.js', dist));

const GROUP = 3;
const FILLER = 6000;
const TOKEN = 'token';

mkdirSync(dir, { recursive: true });
const marks = openSync(join(dir, 'marks'), 'a');
const sha256 = createHash('sha256').update(TOKEN).digest('hex');
const hub = await Hub.start({
  host: '127.0.0.1',
  port: 0,
  dataDir: dir,
  tokens: [{ name: 'edge', type: 'ai_engine', sha256, scopes }],
  log,
  clock,
  random: Math.random,
});
const socket = new WebSocket(`ws://127.0.0.1:${hub.address.port}/ws`);
const epoch = randomUUID();
const send = (type, data) =>
  socket.send(JSON.stringify({ type, timestamp: 1, request_id: type, data }));

let acked = 0;
let sent = 0;

function sendBatch() {
  const items = Array.from({ length: GROUP }, (_, index) => {
    const n = sent + index + 1;
    const filler = String(n % 10).repeat((n * 977) % FILLER);
    const body = { type: 'intrusion', camera_id: 'c', severity: 'high', timestamp: 1 };
    const head = { seq: n, message_id: randomUUID(), type: 'alert_triggered', schema_version: 1 };
    return { ...head, timestamp: 1, mono_ms: 1, data: { ...body, data: { n, filler } } };
  });
  send('message_batch', { epoch, lane: 0, first_seq: sent + 1, items });
  sent += GROUP;
}

const done = new Promise((resolve) => {
  const on = {
    connection_established: () =>
      send('client_identify', {
        client_id: 'edge',
        client_type: 'ai_engine',
        auth: { token: TOKEN },
        protocol: 2,
        capabilities: ['batch', 'resume', 'credit'],
        resume: { streams: [{ epoch, lane: 0, first_seq: 1, next_seq: 1 }] },
      }),
    identification_success: () => {
      sendBatch();
      sendBatch();
    },
    batch_ack: ({ acks }) => {
      for (; acked < acks[0].acked_through; acked++) writeSync(marks, `kept ${acked + 1}\n`);
      if (sent < Number(batches) * GROUP) sendBatch();
      else if (acked === sent) resolve();
    },
  };
  socket.on('message', (text) => {
    const { type, data } = JSON.parse(text);
    on[type]?.(data);
  });
});
await done;
socket.close();
await hub.stop();
