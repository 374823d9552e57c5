// `npm run bench -- outbox`: what a message costs until it is on the disk, beside what better-sqlite3 alone
// reaches with the same settings; bytes written, time to open after a power cut, and what happens when it is full.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectionResult } from './payload.mjs';
import { stage } from './servers.mjs';
import { machine, median, printTable, rounded } from './stats.mjs';

const CONCURRENCY = [1, 16, 64];
const LANES = { alerts: 0, events: 1, detections: 2 };
const OFFLINE_PER_S = 60;
const FULL = { rounds: 3, seconds: 3, offlineS: 60, rows: [10_000, 100_000], messages: 2000 };
const QUICK = { rounds: 1, seconds: 0.3, offlineS: 1, rows: [1000], messages: 100 };
const FULL_BUDGET_BYTES = 8 * 1024 * 1024;

export async function runOutboxBench({ json, quick, rounds }) {
  const size = { ...(quick ? QUICK : FULL), ...(rounds && { rounds }) };
  const folder = mkdtempSync(join(tmpdir(), 'apex-bench-outbox-'));
  let count = 0;
  const newFolder = () => {
    const dir = join(folder, String(count++));
    mkdirSync(dir);
    return dir;
  };
  const run = (name, plan, end) =>
    stage('outbox-stage.mjs', { dir: newFolder(), ...plan, stage: name }, end);
  try {
    const measured = [];
    for (let round = 0; round < size.rounds; round++) {
      if (!json) console.error(`round ${round + 1} of ${size.rounds}`);
      measured.push(await measureRound(run, size));
    }
    const offline = await run('offline', { per_s: OFFLINE_PER_S, seconds: size.offlineS });
    const restarts = [];
    for (const rows of size.rows) restarts.push(await restart(run, newFolder(), rows));
    const full = await run('full', { budget_bytes: FULL_BUDGET_BYTES, messages: size.messages });
    const of = { size, offline, restarts, full, machine: machine(folder) };
    const report = reportOf(measured, of);
    if (json) console.log(JSON.stringify(report));
    else print(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureRound(run, { seconds }) {
  const round = {};
  for (const concurrency of CONCURRENCY) {
    const raw = (synchronous) => run('raw', { synchronous, rows: concurrency, seconds });
    round[`sqlite_full_${concurrency}`] = await raw('FULL');
    for (const [name, lane] of Object.entries(LANES))
      round[`${name}_${concurrency}`] = await run('store', { lane, concurrency, seconds });
    round[`sqlite_normal_${concurrency}`] = await raw('NORMAL');
  }
  return round;
}

async function restart(run, dir, rows) {
  // The writer kills itself, as a power cut would end it.
  await run('fill', { dir, rows }, 'SIGKILL');
  const opened = await run('open', { dir });
  if (opened.rows !== rows) throw new Error(`${opened.rows} rows after a kill, written ${rows}`);
  return opened;
}

function reportOf(rounds, { size, offline, restarts, full, machine: of }) {
  const names = Object.keys(rounds[0]);
  const over = (pick) => rounded(median(rounds.map(pick)));
  const stages = names.map((name) => [
    name,
    {
      per_s: Math.round(over((round) => round[name].per_s)),
      p50_ms: over((round) => round[name].p50_ms),
      p99_ms: over((round) => round[name].p99_ms),
    },
  ]);
  return {
    bench: 'outbox',
    machine: of,
    rounds: size.rounds,
    seconds: size.seconds,
    payload_bytes: JSON.stringify(detectionResult('gate')).length,
    enqueue: Object.fromEntries(stages),
    alerts_vs_sqlite_full: Object.fromEntries(
      CONCURRENCY.map((concurrency) => [
        concurrency,
        over(
          (round) =>
            round[`alerts_${concurrency}`].per_s / round[`sqlite_full_${concurrency}`].per_s,
        ),
      ]),
    ),
    offline_per_s: OFFLINE_PER_S,
    offline_bytes_written_per_row: offline.bytes_per_row,
    open_after_kill: restarts,
    full_budget_bytes: FULL_BUDGET_BYTES,
    full_events_p99_ms: full.p99_ms,
    full_events_refused: full.refused,
    full_evicted: full.evicted,
    full_disk_bytes: full.disk.used,
  };
}

function print(report) {
  console.log(
    `${report.machine}\nmessages of ${report.payload_bytes} bytes; medians of ${report.rounds} rounds of ${report.seconds} s\n`,
  );
  const rows = CONCURRENCY.flatMap((concurrency) => {
    const row = (text, name) => {
      const { per_s, p50_ms, p99_ms } = report.enqueue[`${name}_${concurrency}`];
      return [text, per_s, p50_ms, p99_ms];
    };
    return [
      row(`better-sqlite3, FULL, ${concurrency} a transaction (the limit)`, 'sqlite_full'),
      row(`alerts, ${concurrency} at a time: on disk when taken`, 'alerts'),
      row(`events, ${concurrency} at a time: on disk when taken, in groups`, 'events'),
      row(
        `detections, ${concurrency} at a time: in memory, on disk if not soon sent`,
        'detections',
      ),
      row(`better-sqlite3, NORMAL (a power cut loses rows)`, 'sqlite_normal'),
    ];
  });
  printTable(['', 'messages/s', 'p50 ms', 'p99 ms'], rows);
  console.log(
    `\noffline at ${report.offline_per_s} detections/s: ${report.offline_bytes_written_per_row} bytes written a message`,
  );
  for (const { rows: count, open_ms } of report.open_after_kill)
    console.log(`open after a kill with ${count.toLocaleString('en')} messages: ${open_ms} ms`);
  console.log(
    `full (${report.full_budget_bytes / 2 ** 20} MiB): events p99 ${report.full_events_p99_ms} ms, ${report.full_events_refused} refused, ${report.full_evicted} older messages evicted`,
  );
}
