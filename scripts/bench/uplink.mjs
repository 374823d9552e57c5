// `npm run bench -- uplink`: the edge's store and uplink in one process against a hub in another, over loopback:
// how long an alert takes while detections flow, how fast a backlog drains, and what the queue costs the box.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { detectionResult } from './payload.mjs';
import { hubProgram } from './servers.mjs';
import { latencies, machine, median, printTable, rounded } from './stats.mjs';

const EDGE = fileURLToPath(new URL('./edge-process.mjs', import.meta.url));
/** Four cameras at 15 frames a second. */
const PER_S = 60;
const FULL = { rounds: 1, alerts: 500, everyMs: 20, seconds: 60, backlog: 10_000, restarts: 10 };
const QUICK = { rounds: 1, alerts: 20, everyMs: 5, seconds: 2, backlog: 1000, restarts: 1 };

export async function runUplinkBench({ json, quick, rounds }) {
  const size = { ...(quick ? QUICK : FULL), ...(rounds && { rounds }) };
  const folder = mkdtempSync(join(tmpdir(), 'apex-bench-uplink-'));
  try {
    const measured = [];
    for (let round = 0; round < size.rounds; round++) {
      if (!json) console.error(`round ${round + 1} of ${size.rounds}`);
      measured.push(await measureRound(join(folder, String(round)), size));
    }
    const report = reportOf(measured, { size, machine: machine(folder) });
    if (json) console.log(JSON.stringify(report));
    else print(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureRound(folder, size) {
  const hub = await hubProgram(join(folder, 'hub'));
  let server = await hub.start();
  const startEdge = (name, withQueue) =>
    Edge.start({
      dir: join(folder, name),
      url: server.url,
      token: server.token,
      per_s: PER_S,
      with_queue: withQueue,
    });
  const flow = {
    do: 'flow',
    alerts: size.alerts,
    alert_every_ms: size.everyMs,
    seconds: size.seconds,
  };
  try {
    const without = await withEdge(startEdge('without', false), (edge) => edge.ask(flow));
    const restarts = [];
    const online = await withEdge(startEdge('online', true), async (edge) => {
      const result = await edge.ask(flow);
      for (let restart = 0; restart < size.restarts; restart++) {
        await server.end('SIGKILL');
        const asked = edge.ask({ do: 'await_ack' });
        server = await hub.start();
        restarts.push((await asked).at - server.listeningAt);
      }
      return result;
    });
    const drain = { do: 'backlog', messages: size.backlog };
    const backlog = await withEdge(startEdge('backlog', true), (edge) => edge.ask(drain));
    return { without, online, backlog, restarts };
  } finally {
    await server.end();
  }
}

async function withEdge(starting, act) {
  const edge = await starting;
  try {
    const result = await act(edge);
    await edge.ask({ do: 'end' });
    return result;
  } finally {
    edge.kill();
  }
}

/** The edge's process. */
class Edge {
  #child;
  #ended;

  static async start(plan) {
    const edge = new Edge(fork(EDGE, [JSON.stringify(plan)]));
    await edge.#told('ready');
    return edge;
  }

  constructor(child) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) =>
      Promise.reject(new Error(`the edge's process ended with ${code ?? signal}`)),
    );
    this.#ended.catch(() => {});
  }

  ask(request) {
    const answer = this.#told(request.do);
    this.#child.send(request);
    return answer;
  }

  kill() {
    this.#child.kill('SIGKILL');
  }

  async #told(wanted) {
    for (;;) {
      const [message] = await Promise.race([once(this.#child, 'message'), this.#ended]);
      if (message.do === wanted) return message;
    }
  }
}

function reportOf(rounds, { size, machine: of }) {
  const over = (pick, digits = 2) => rounded(median(rounds.map(pick)), digits);
  const back = latencies(rounds.flatMap(({ restarts }) => restarts));
  return {
    bench: 'uplink',
    machine: of,
    rounds: size.rounds,
    payload_bytes: JSON.stringify(detectionResult('gate')).length,
    detections_per_s: PER_S,
    alerts: size.alerts,
    alert_p50_ms: over(({ online }) => online.alert.p50_ms),
    alert_p99_ms: over(({ online }) => online.alert.p99_ms),
    alert_max_ms: over(({ online }) => online.alert.max_ms),
    backlog_messages: size.backlog,
    backlog_drained_s: over(({ backlog }) => backlog.seconds, 3),
    backlog_per_s: over(({ backlog }) => backlog.per_s),
    rss_with_queue_mb: over(({ online }) => online.rss_mb),
    rss_without_queue_mb: over(({ without }) => without.rss_mb),
    rss_added_mb: over(({ online, without }) => online.rss_mb - without.rss_mb),
    cpu_core_share: over(({ online }) => online.cpu_share, 4),
    cpu_core_share_without_queue: over(({ without }) => without.cpu_share, 4),
    written_gb_per_day: over(({ online }) => online.bytes_per_day / 1e9, 3),
    restarts: size.restarts * size.rounds,
    restart_p50_ms: back.p50_ms,
    restart_max_ms: back.max_ms,
  };
}

function print(report) {
  console.log(
    `${report.machine}\nedge and hub on loopback, ${report.detections_per_s} detections/s of ${report.payload_bytes} bytes\n`,
  );
  printTable(null, [
    [
      'alert, from enqueue to acknowledgement',
      `p50 ${report.alert_p50_ms} ms`,
      `p99 ${report.alert_p99_ms} ms`,
    ],
    [
      `backlog of ${report.backlog_messages.toLocaleString('en')}`,
      `${report.backlog_drained_s} s`,
      `${Math.round(report.backlog_per_s).toLocaleString('en')}/s`,
    ],
    [
      'memory that the queue adds',
      `${report.rss_added_mb} MB`,
      `${report.rss_with_queue_mb} MB in all`,
    ],
    [
      'share of one core',
      String(report.cpu_core_share),
      `${report.cpu_core_share_without_queue} without the queue`,
    ],
    ['written to the disk', `${report.written_gb_per_day} GB/day`, ''],
    [
      `hub killed and started, ${report.restarts} times: first acknowledgement`,
      `p50 ${report.restart_p50_ms} ms`,
      `max ${report.restart_max_ms} ms`,
    ],
  ]);
}
