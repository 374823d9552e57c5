// The local API of a box with a million stored events and a camera that is analysed: pages of events, and what it
// costs that eight browsers look on.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { fetchStatus } from '../../dist/api/control-client.js';
import { CAMERAS, DAY_MS, DAYS, fillJournal } from './journal.mjs';
import { treeUsage } from './process-tree.mjs';
import { latencies, machine, median } from './stats.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const LIMIT = 200;
const VIEWERS = 8;
const FPS = 5;
const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** Resolves with the bytes of an answer, or of a stream until the signal. */
function ask(url, token, { signal } = {}) {
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const call = get(url, { agent, headers, signal }, (response) => {
      response.on('data', (chunk) => {
        bytes += chunk.length;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(bytes) : reject(new Error(response.statusCode)),
      );
      response.on('error', () => resolve(bytes));
    });
    call.on('error', (error) => (signal?.aborted ? resolve(bytes) : reject(error)));
  });
}

function startBox(dir, clip) {
  const config = join(dir, 'edge.yaml');
  const camera = { path: clip, loop: true, detect: { fps: FPS } };
  const cameras = clip === null ? {} : { walk: camera };
  const model = clip === null ? 'test-detector' : (process.env.APEX_BENCH_MODEL ?? 'yolov8n');
  writeFileSync(
    config,
    stringify({
      edge: { id: 'bench', data_dir: dir },
      journal: { retain_mb: 100_000 },
      detector: { model },
      api: { port: 0 },
      cameras,
    }),
  );
  const made = spawnSync(process.execPath, [CLI, 'access', 'init', '--config', config], {
    encoding: 'utf8',
  });
  const box = spawn(process.execPath, [CLI, 'run', '--config', config], { stdio: 'ignore' });
  return { box, token: made.stdout.trim() };
}

async function until(what, condition) {
  for (let tries = 0; tries < 300; tries++) {
    const value = await condition().catch(() => null);
    if (value) return value;
    await delay(200);
  }
  throw new Error(`${what}: not within a minute`);
}

const pick = (count) => Math.floor(Math.random() * count);

async function pages(url, token, { fromMs, rounds }) {
  const before = () => fromMs + pick(DAYS * DAY_MS);
  const queries = {
    newest: () => '',
    'before a time': () => `&before=${before()}`,
    'camera and label': () => `&before=${before()}&cameras=camera-${pick(CAMERAS)}&labels=dog`,
    'not reviewed': () => `&before=${before()}&reviewed=false`,
  };
  const results = {};
  for (const [name, query] of Object.entries(queries)) {
    const times = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      await ask(`${url}api/events?limit=${LIMIT}${query()}`, token);
      times.push(performance.now() - begun);
    }
    results[name] = latencies(times);
  }
  return results;
}

/** Shares of a core that the box takes, without and with viewers, by turns. */
async function viewers(pid, url, token, { rounds, seconds }) {
  const share = async () => {
    const before = treeUsage(pid).cpuSeconds;
    const begun = performance.now();
    await delay(seconds * 1000);
    const took = (performance.now() - begun) / 1000;
    return (100 * (treeUsage(pid).cpuSeconds - before)) / took;
  };
  const [alone, watched] = [[], []];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    alone.push(await share());
    const end = new AbortController();
    const streams = Array.from({ length: VIEWERS }, () =>
      ask(`${url}api/live.mjpeg?max_width=640`, token, { signal: end.signal }),
    );
    watched.push(await share());
    end.abort();
    for (const count of await Promise.all(streams)) bytes += count;
  }
  return {
    percent_of_a_core_alone: Math.round(median(alone)),
    percent_with_viewers: Math.round(median(watched)),
    added: Math.round(median(watched) - median(alone)),
    kilobytes_per_s_each: Math.round(bytes / VIEWERS / rounds / seconds / 1000),
  };
}

export async function runApiBench({ quick, json, clip }) {
  const dir = mkdtempSync(join(tmpdir(), 'apex-bench-api-'));
  const events = quick ? 20_000 : 1_000_000;
  const fromMs = Date.now() - DAYS * DAY_MS;
  const media = process.env.APEX_TEST_MEDIA;
  const footage = clip ?? (media === undefined ? null : join(media, 'people-walking.mp4'));
  fillJournal(dir, events, fromMs);
  const { box, token } = startBox(dir, footage);
  try {
    const { url } = await until('the box', async () => {
      const { api, cameras } = await fetchStatus(dir);
      return api.url !== null && cameras.every(({ fps }) => fps > 0) && api;
    });
    const results = await pages(url, token, { fromMs, rounds: quick ? 20 : 300 });
    const plan = quick ? { rounds: 1, seconds: 3 } : { rounds: 3, seconds: 15 };
    const live = footage === null ? null : await viewers(box.pid, url, token, plan);
    if (json) console.log(JSON.stringify({ events, results, live }));
    else {
      console.log(machine(dir));
      console.log(`${events} events, a camera at ${FPS} frames/s; pages of ${LIMIT} over HTTP`);
      console.table(results);
      if (live === null) console.log('no footage: APEX_TEST_MEDIA or --clip');
      else console.table({ [`${VIEWERS} viewers`]: live });
    }
  } finally {
    box.kill('SIGTERM');
    await new Promise((resolve) => box.once('exit', resolve));
    agent.destroy();
    rmSync(dir, { recursive: true });
  }
}
