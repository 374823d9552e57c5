// `npm run bench -- fanout`: 450 frontends and 50 edges on one hub, each event to 20 of the frontends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { checkDatabase } from './hub-database.mjs';
import { hubProgram, stage } from './servers.mjs';
import { machine, printTable, rounded } from './stats.mjs';

const FULL = { viewers: 450, edges: 50, perEvent: 20, rate: 2000, seconds: 300 };
const QUICK = { viewers: 45, edges: 5, perEvent: 20, rate: 400, seconds: 2 };
const VIEWER_TOKEN = 'benchmark-token-of-the-viewers';
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
  ]);
  const server = await hub.start();
  const rss = [];
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
  await server.end();
  checkDatabase(hub.database, load);
  checkViewers(hub.database, load);
  // The first third is warming up.
  const settled = rss.slice(Math.floor(rss.length / 3));
  return {
    bench: 'fanout',
    machine: machine(folder),
    ...plan,
    events_per_s: rounded(load.sent / (plan.seconds + 1), 0),
    deliveries_per_s: rounded(load.deliveries / (plan.seconds + 1), 0),
    events: load.sent,
    deliveries: load.deliveries,
    lost: load.expected - load.deliveries,
    disorders: load.disorders,
    ended_early: load.ended_early,
    enqueue_to_delivery_p50_ms: load.p50_ms,
    enqueue_to_delivery_p99_ms: load.p99_ms,
    enqueue_to_delivery_max_ms: load.max_ms,
    hub_cores: rounded(cpu),
    load_cores: rounded(load.load_cpu),
    hub_rss_max_mb: rounded(Math.max(...rss), 0),
    hub_rss_first_mb: rounded(settled[0] ?? Number.NaN, 0),
    hub_rss_last_mb: rounded(settled.at(-1) ?? Number.NaN, 0),
  };
}

/** Throws unless each viewer saw exactly the events of its cameras that the table holds, ascending. */
function checkViewers(path, { viewers, disorders, ended_early: ended }) {
  if (disorders > 0 || ended > 0)
    throw new Error(`${disorders} events out of order, ${ended} viewers closed early`);
  const db = new Database(path, { readonly: true });
  try {
    const ofCamera = new Map(
      db
        .prepare(
          'SELECT camera_id AS camera, count(*) AS count, sum(event_id) AS sum FROM event GROUP BY camera_id',
        )
        .all()
        .map((row) => [row.camera, row]),
    );
    for (const [index, { cameras, count, sum }] of viewers.entries()) {
      const own = cameras.map((camera) => ofCamera.get(camera) ?? { count: 0, sum: 0 });
      const wanted = own.reduce((all, row) => all + row.count, 0);
      const wantedSum = own.reduce((all, row) => all + row.sum, 0);
      // Ascending, as many, and of the same sum.
      if (count !== wanted || sum !== wantedSum)
        throw new Error(`viewer ${index} saw ${count} events of ${wanted}`);
    }
  } finally {
    db.close();
  }
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
      ['from the edge to the frontend, p50 ms', report.enqueue_to_delivery_p50_ms],
      ['p99 ms', report.enqueue_to_delivery_p99_ms],
      ['max ms', report.enqueue_to_delivery_max_ms],
      ['hub: cores', report.hub_cores],
      ['load: cores', report.load_cores],
      ['hub: resident, most, MB', report.hub_rss_max_mb],
      ['after a third of the time', report.hub_rss_first_mb],
      ['at the end', report.hub_rss_last_mb],
    ],
  );
}
