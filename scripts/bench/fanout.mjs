// `npm run bench -- fanout`: 450 frontends and 50 edges on one hub, each event to 20 of the frontends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { checkDatabase } from './hub-database.mjs';
import { IdTrail } from './id-trail.mjs';
import { hubProgram, stage } from './servers.mjs';
import { machine, printTable, rounded } from './stats.mjs';

const FULL = { viewers: 450, edges: 50, perEvent: 20, rate: 2000, seconds: 300 };
const QUICK = { viewers: 45, edges: 5, perEvent: 20, rate: 400, seconds: 2 };
const VIEWER_TOKEN = 'benchmark-token-of-the-viewers';
const WATCH_TOKEN = 'benchmark-token-of-who-watches';
const SAMPLE_MS = 1000;

export async function runFanoutBench({ json, quick, seconds }) {
  const plan = { ...(quick ? QUICK : FULL), ...(seconds && { seconds }) };
  const folder = mkdtempSync(join(tmpdir(), 'apex-bench-fanout-'));
  try {
    const report = await measure(folder, plan);
    if (json) console.log(JSON.stringify(report));
    else print(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder, plan) {
  const hub = await hubProgram(folder, {}, [
    { name: 'viewers', type: 'frontend', token: VIEWER_TOKEN },
    { name: 'watch', type: 'frontend', token: WATCH_TOKEN, scopes: { admin: true } },
  ]);
  const server = await hub.start();
  const { host } = new URL(server.url);
  // The percentile is that since it was last asked for.
  await loopDelayMs(host);
  const rss = [server.usage.rssMb];
  const begun = performance.now();
  const before = server.usage.cpuSeconds;
  const sampler = setInterval(() => rss.push(server.usage.rssMb), SAMPLE_MS);
  const load = await stage('fanout-load.mjs', {
    ...plan,
    url: server.url,
    port: Number(new URL(server.url).port),
    edgeToken: server.token,
    viewerToken: VIEWER_TOKEN,
  });
  clearInterval(sampler);
  const cpu = (server.usage.cpuSeconds - before) / ((performance.now() - begun) / 1000);
  const loopDelay = await loopDelayMs(host);
  await server.end();
  checkDatabase(hub.database, load);
  checkViewers(hub.database, load);
  return {
    bench: 'fanout',
    machine: machine(folder),
    ...plan,
    events_per_s: rounded(load.sent / (plan.seconds + 1), 0),
    deliveries_per_s: rounded(load.deliveries / (plan.seconds + 1), 0),
    events: load.sent,
    deliveries: load.deliveries,
    lost: load.expected - load.deliveries,
    duplicates: load.duplicates,
    disorders: load.disorders,
    ended_early: load.ended_early,
    delivery_p50_ms: load.p50_ms,
    delivery_p99_ms: load.p99_ms,
    delivery_max_ms: load.max_ms,
    hub_loop_delay_p99_ms: loopDelay,
    hub_cores: rounded(cpu),
    load_cores: rounded(load.load_cpu),
    hub_rss_mb_start: rounded(rss[0], 0),
    hub_rss_mb_mid: rounded(rss[rss.length >> 1], 0),
    hub_rss_mb_end: rounded(rss.at(-1), 0),
    hub_rss_mb_max: rounded(Math.max(...rss), 0),
  };
}

async function loopDelayMs(host) {
  const headers = { authorization: `Bearer ${WATCH_TOKEN}` };
  const response = await fetch(`http://${host}/metrics`, { headers });
  const found = /^apex_hub_event_loop_delay_p99_seconds (\S+)$/m.exec(await response.text());
  if (found === null) throw new Error(`the hub's metrics: ${response.status}`);
  return rounded(1000 * Number(found[1]));
}

/** Throws unless each viewer saw exactly the events of its cameras that the table holds, in the table's order. */
function checkViewers(path, { viewers, duplicates, disorders, ended_early: ended }) {
  if (duplicates + disorders + ended > 0)
    throw new Error(
      `${duplicates} events twice, ${disorders} out of order, ${ended} viewers closed early`,
    );
  const wanted = viewers.map(() => new IdTrail());
  const ofCamera = new Map();
  for (const [index, { cameras }] of viewers.entries())
    for (const camera of cameras)
      ofCamera.set(camera, [...(ofCamera.get(camera) ?? []), wanted[index]]);
  const db = new Database(path, { readonly: true });
  try {
    const rows = db.prepare('SELECT event_id AS id, camera_id AS camera FROM event ORDER BY 1');
    for (const { id, camera } of rows.iterate())
      for (const trail of ofCamera.get(camera) ?? []) trail.add(id);
  } finally {
    db.close();
  }
  for (const [index, trail] of wanted.entries())
    if (!trail.equals(viewers[index]))
      throw new Error(`viewer ${index} saw ${viewers[index].count} events of ${trail.count}`);
}

function print(report) {
  console.log(`${report.machine}
${report.viewers} frontends and ${report.edges} edges beside the hub; ${report.rate} events/s, each to ${report.perEvent} frontends, ${report.seconds} s\n`);
  printTable(
    ['', ''],
    [
      ['events/s stored', report.events_per_s],
      ['deliveries/s', report.deliveries_per_s],
      ['lost', report.lost],
      ['twice', report.duplicates],
      ['from when an edge is to send it to the frontend, p50 ms', report.delivery_p50_ms],
      ['p99 ms', report.delivery_p99_ms],
      ['max ms', report.delivery_max_ms],
      ['hub: event loop late at p99, ms', report.hub_loop_delay_p99_ms],
      ['hub: cores', report.hub_cores],
      ['load: cores', report.load_cores],
      ['hub: resident at the start, MB', report.hub_rss_mb_start],
      ['half-way', report.hub_rss_mb_mid],
      ['at the end', report.hub_rss_mb_end],
      ['most', report.hub_rss_mb_max],
    ],
  );
}
