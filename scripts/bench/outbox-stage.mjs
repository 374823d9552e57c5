// One stage of the outbox benchmark, in a process of its own.
// usage: node outbox-stage.mjs '{"stage", "dir", ...}' -> one JSON line
//   store   {lane, concurrency, seconds}  callers that each wait for their message before the next
//   raw     {synchronous, rows, seconds}  better-sqlite3 alone: transactions of so many rows
//   offline {per_s, seconds}              detections with nobody to send them to: what is written for each
//   fill    {rows}                        leaves a file with so many rows behind, as a power cut would
//   open    {}                            how long the store takes to open it, and how many it has
//   full    {budget_bytes, messages}      events while detections use up the budget
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { openDatabase } from '../../dist/store/file/sqlite.js';
import { OUTBOX_APPLICATION_ID, OUTBOX_MIGRATIONS } from '../../dist/store/outbox/outbox-schema.js';
import { Store } from '../../dist/store/store.js';
import { systemClock } from '../../dist/system/clock.js';
import { silentLogger } from '../../dist/system/logger.js';
import { alert, detectionResult } from './payload.mjs';
import { latencies, percentile, rounded } from './stats.mjs';

const CHUNK = 500;

/** A message of the lane, of about the same size in each. */
function message(lane) {
  const wallMs = Date.now();
  const detection = detectionResult('gate', wallMs);
  const at = { cameraId: 'gate', wallMs, monoMs: systemClock.monotonicMs() };
  if (lane === 0)
    return { ...at, type: 'alert_triggered', data: { ...alert('gate', wallMs), data: detection } };
  if (lane === 1) {
    const data = { camera_id: 'gate', timestamp: wallMs, faces: detection.detections };
    return { ...at, type: 'face_detection_result', data };
  }
  return { ...at, type: 'ai_detection_result', data: detection };
}

function openStore({ dir, budget_bytes: budgetBytes }) {
  return Store.open({
    dir,
    clock: systemClock,
    log: silentLogger,
    ...(budgetBytes && { budgetBytes }),
  });
}

function bytesWritten() {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
}

const STAGES = {
  async store({ lane, concurrency, seconds, ...rest }) {
    const store = await openStore(rest);
    const times = [];
    const began = performance.now();
    const until = began + seconds * 1000;
    const caller = async () => {
      for (let now = performance.now(); now < until; ) {
        await store.enqueue([message(lane)]);
        const done = performance.now();
        times.push(done - now);
        now = done;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, caller));
    const took = (performance.now() - began) / 1000;
    await store.close();
    return { per_s: times.length / took, ...latencies(times) };
  },

  raw({ dir, synchronous, rows, seconds }) {
    const db = openDatabase(join(dir, 'raw.db'), {
      applicationId: OUTBOX_APPLICATION_ID,
      migrations: OUTBOX_MIGRATIONS,
    });
    db.pragma(`synchronous = ${synchronous}`);
    const insert = db.prepare(
      `INSERT INTO outbox_0(epoch_id, message_id, type, schema_version, camera_id, wall_ms, mono_ms, bytes, crc32, body)
       VALUES (1, ?, 'ai_detection_result', 1, 'gate', ?, ?, ?, ?, ?)`,
    );
    const id = Buffer.alloc(16, 7);
    const commit = db.transaction(() => {
      for (let row = 0; row < rows; row++) {
        const { wallMs, monoMs, data } = message(2);
        const body = Buffer.from(JSON.stringify(data));
        insert.run(id, Math.round(wallMs), Math.round(monoMs), body.length, crc32(body), body);
      }
    });
    const times = [];
    const began = performance.now();
    for (let now = began; now < began + seconds * 1000; ) {
      commit();
      const done = performance.now();
      times.push(done - now);
      now = done;
    }
    const took = (performance.now() - began) / 1000;
    db.close();
    return { per_s: (times.length * rows) / took, ...latencies(times) };
  },

  async offline({ per_s, seconds, ...rest }) {
    const store = await openStore(rest);
    const before = bytesWritten();
    const began = performance.now();
    const writes = [];
    let count = 0;
    while (performance.now() < began + seconds * 1000) {
      for (const due = ((performance.now() - began) / 1000) * per_s; count < due; count++)
        writes.push(store.enqueue([message(2)]));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(writes);
    const bytes = bytesWritten() - before;
    await store.close();
    return { rows: count, bytes_per_row: Math.round(bytes / count) };
  },

  async fill({ rows, ...rest }) {
    const store = await openStore(rest);
    for (let row = 0; row < rows; row += CHUNK)
      await store.enqueue(Array.from({ length: Math.min(CHUNK, rows - row) }, () => message(1)));
    console.log(JSON.stringify({ rows }));
    process.kill(process.pid, 'SIGKILL');
  },

  async open(rest) {
    const began = performance.now();
    const store = await openStore(rest);
    const took = performance.now() - began;
    const { lanes } = await store.queue();
    await store.close();
    return { open_ms: rounded(took), rows: lanes[1].depth };
  },

  async full({ messages, ...rest }) {
    const store = await openStore(rest);
    await useUp(store, rest.budget_bytes);
    const times = [];
    let refused = 0;
    for (let index = 0; index < messages; index++) {
      const began = performance.now();
      await store.enqueue([message(1)]).catch((error) => {
        if (error.code !== 'STORE_FULL') throw error;
        refused++;
      });
      times.push(performance.now() - began);
    }
    const { lanes, disk } = await store.queue();
    await store.close();
    const evicted = lanes.reduce((sum, { evictedCount = 0 }) => sum + evictedCount, 0);
    return { messages, refused, evicted, p99_ms: rounded(percentile(times, 0.99)), disk };
  },
};

/** Twice what fits, so that the store is at its limit for certain, whether it refuses the rest or evicts. */
async function useUp(store, budgetBytes) {
  const { length } = JSON.stringify(message(2).data);
  for (let sent = 0; sent < 2 * budgetBytes; sent += CHUNK * length) {
    const chunk = Array.from({ length: CHUNK }, () => message(2));
    const isTaken = await store.enqueue(chunk).then(
      () => true,
      (error) => {
        if (error.code !== 'STORE_FULL') throw error;
        return false;
      },
    );
    if (!isTaken) return;
  }
}

const { stage, ...plan } = JSON.parse(process.argv[2]);
console.log(JSON.stringify(await STAGES[stage](plan)));
