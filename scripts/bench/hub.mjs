// `npm run bench -- hub`: what the hub takes in with an fsync before every acknowledgement and every message
// validated, beside servers that promise less, all with the same message, the same number of clients and the load
// on the same cores. Then: how soon a fleet is back after the hub was restarted.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDatabase } from './hub-database.mjs';
import { hubRestart } from './hub-restart.mjs';
import { detectionResult } from './payload.mjs';
import { hubProgram, mosquitto, peerServer, stage } from './servers.mjs';
import { machine, median, printTable, rounded } from './stats.mjs';

const FULL = { clients: 300, rounds: 5, warmUpS: 2, seconds: 8, restarts: 3 };
const QUICK = { clients: 30, rounds: 1, warmUpS: 0.3, seconds: 0.7, restarts: 1 };
/** What an edge sends live at full load; the goal for the latency of a batch is meant at this rate. */
const PACED_PER_S = 20_000;
/** Messages on their way at a time, over all clients: the same for the hub's batches and for its peers. */
const IN_FLIGHT = 1920;

/** The hub's loads: so many frames on their way, or paced. */
const HUB_LOADS = {
  // What an edge sends at most.
  batched: { frame: 64, in_flight: IN_FLIGHT / 64, rate: null },
  small_batches: { frame: 16, in_flight: IN_FLIGHT / 16, rate: null },
  paced: { frame: 16, in_flight: 0, rate: PACED_PER_S },
  // What clients without batches do: each sends one and waits, and at any moment two thirds of them do.
  unbatched: { frame: 1, in_flight: 200, rate: null },
};
const PEER_LOAD = { frame: 1, in_flight: IN_FLIGHT, rate: null };

export async function runHubBench({ json, quick, rounds }) {
  const hasMosquitto = spawnSync('mosquitto', ['-h']).error === undefined;
  const size = { ...(quick ? QUICK : FULL), ...(rounds && { rounds }), hasMosquitto };
  const folder = mkdtempSync(join(tmpdir(), 'apex-bench-hub-'));
  try {
    const measured = [];
    for (let round = 0; round < size.rounds; round++) {
      if (!json) console.error(`round ${round + 1} of ${size.rounds}`);
      measured.push(await measureRound(join(folder, String(round)), size));
    }
    const restart = await hubRestart(join(folder, 'restart'), size);
    const report = reportOf(measured, restart, { size, machine: machine(folder) });
    if (json) console.log(JSON.stringify(report));
    else print(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All contenders one after the other: a shared machine is never twice the same, so ratios are those of a round. */
async function measureRound(folder, size) {
  const load = (kind, server, of) =>
    stage('load.mjs', {
      ...of,
      kind,
      url: server.url,
      token: server.token ?? null,
      clients: size.clients,
      warm_up_s: size.warmUpS,
      seconds: size.seconds,
    });
  const peer = async (kind, server) => {
    const result = await load(kind, server, PEER_LOAD);
    await server.end();
    if (result.unacknowledged > 0) throw new Error(`${kind} left messages unacknowledged`);
    return result;
  };
  const round = { ws_echo: await peer('echo', await peerServer('echo')) };
  for (const [name, of] of Object.entries(HUB_LOADS))
    round[name] = await measureHub(join(folder, name), (server) => load('hub', server, of));
  if (size.hasMosquitto)
    round.mosquitto = await peer('mqtt', await mosquitto(join(folder, 'mosquitto')));
  round.socketio = await peer('socketio', await peerServer('socketio'));
  return round;
}

async function measureHub(folder, load) {
  const hub = await hubProgram(folder);
  const server = await hub.start();
  const before = server.usage;
  const result = await load(server);
  const { cpuSeconds, rssMb } = server.usage;
  await server.end();
  const rows = checkDatabase(hub.database, result);
  rmSync(folder, { recursive: true, force: true });
  return { ...result, rows, rss_mb: rssMb, cpu_s: cpuSeconds - before.cpuSeconds };
}

function reportOf(rounds, restart, { size, machine: of }) {
  const over = (pick) => rounded(median(rounds.map(pick)));
  const rate = (name) => Math.round(over((round) => round[name].per_s));
  // Null where mosquitto is not installed.
  const ofMosquitto = (number) => (size.hasMosquitto ? number() : null);
  const p99 = (name) => over((round) => round[name].p99_ms);
  const ratio = (name, to) => over((round) => round[name].per_s / round[to].per_s);
  const total = (pick) =>
    rounds.reduce(
      (sum, round) =>
        sum + Object.keys(HUB_LOADS).reduce((all, name) => all + pick(round[name]), 0),
      0,
    );
  return {
    bench: 'hub',
    machine: of,
    clients: size.clients,
    rounds: size.rounds,
    seconds: size.seconds,
    payload_bytes: JSON.stringify(detectionResult('bench-0000')).length,
    validation: true,
    fsync_before_ack: true,
    batched_frame_messages: HUB_LOADS.batched.frame,
    batched_frames_in_flight: HUB_LOADS.batched.in_flight,
    small_batches_frame_messages: HUB_LOADS.small_batches.frame,
    small_batches_frames_in_flight: HUB_LOADS.small_batches.in_flight,
    unbatched_frames_in_flight: HUB_LOADS.unbatched.in_flight,
    peer_messages_in_flight: PEER_LOAD.in_flight,
    durable_batched_per_s: rate('batched'),
    durable_batched_p99_ms: p99('batched'),
    durable_small_batches_per_s: rate('small_batches'),
    durable_small_batches_p99_ms: p99('small_batches'),
    durable_paced_offered_per_s: PACED_PER_S,
    durable_paced_per_s: rate('paced'),
    durable_paced_p99_ms: p99('paced'),
    durable_unbatched_per_s: rate('unbatched'),
    durable_unbatched_p99_ms: p99('unbatched'),
    ws_echo_per_s: rate('ws_echo'),
    ws_echo_p99_ms: p99('ws_echo'),
    socketio_ack_per_s: rate('socketio'),
    socketio_ack_p99_ms: p99('socketio'),
    mosquitto_qos1_per_s: ofMosquitto(() => rate('mosquitto')),
    mosquitto_qos1_p99_ms: ofMosquitto(() => p99('mosquitto')),
    batched_vs_ws_echo: ratio('batched', 'ws_echo'),
    batched_vs_mosquitto: ofMosquitto(() => ratio('batched', 'mosquitto')),
    batched_vs_socketio: ratio('batched', 'socketio'),
    unbatched_vs_ws_echo: ratio('unbatched', 'ws_echo'),
    hub_rss_mb: over((round) => round.batched.rss_mb),
    hub_cpu_us_per_message: over(({ batched: of }) => (1e6 * of.cpu_s) / of.acknowledged),
    messages_acknowledged: total(({ acknowledged }) => acknowledged),
    rows_in_database: total(({ rows }) => rows),
    restart,
  };
}

function print(report) {
  const { restart } = report;
  console.log(`${report.machine}
${report.clients} clients in one process beside the server; messages of ${report.payload_bytes} bytes, ${IN_FLIGHT} on their way; medians of ${report.rounds} rounds of ${report.seconds} s
The hub validates every message and writes it to the disk (fsync) before it acknowledges it. Of the others, none does.\n`);
  const row = (name, key) => [name, report[`${key}_per_s`], report[`${key}_p99_ms`]];
  printTable(
    ['', 'messages/s', 'p99 ms'],
    [
      row(`hub, frames of ${report.batched_frame_messages}, as fast as it goes`, 'durable_batched'),
      row(
        `hub, frames of ${report.small_batches_frame_messages}, as fast as it goes`,
        'durable_small_batches',
      ),
      row(`hub, frames of 16 at ${PACED_PER_S.toLocaleString('en')}/s`, 'durable_paced'),
      row('hub, one message a frame, 200 on their way', 'durable_unbatched'),
      row('ws echo: nothing stored or read', 'ws_echo'),
      row('Socket.IO emit with acknowledgement: nothing stored', 'socketio_ack'),
      row('mosquitto QoS 1, nobody subscribed: PUBACK before the disk', 'mosquitto_qos1'),
    ],
  );
  console.log(`
batched over ws echo ${report.batched_vs_ws_echo}, over mosquitto ${report.batched_vs_mosquitto ?? '(not installed)'}, over Socket.IO ${report.batched_vs_socketio}
hub: ${report.hub_rss_mb} MB resident, ${report.hub_cpu_us_per_message} us of CPU a message
${report.rows_in_database} rows in the database for ${report.messages_acknowledged} messages acknowledged\n`);
  printTable(
    ['hub restarted: from listening to first acknowledgement', 'p50 ms', 'p99 ms', 'max ms'],
    ['sigterm', 'sigkill'].map((signal) => {
      const { p50_ms, p99_ms, max_ms } = restart[signal];
      return [`${signal.toUpperCase()}, ${restart.clients} clients`, p50_ms, p99_ms, max_ms];
    }),
  );
}
