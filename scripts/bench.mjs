// Benchmarks, measured side by side in one run on this machine.
import { parseArgs } from 'node:util';

const USAGE = `usage: npm run bench -- NAME [--json] [--quick] [--rounds N]
  pipeline  cameras to events: [--frames N] [--clip FILE] [--model FILE]
  outbox    the edge's store: what a message costs until it is on the disk
  uplink    edge to hub: latency of alerts, backlog, memory, bytes written
  hub       what the hub takes in, beside ws echo, Socket.IO and mosquitto; return of a fleet after a restart
  history   pages of the hub's history with a million stored events
  journal   pages of the box's journal with a million stored events
  api       pages of events over HTTP with a million stored; eight browsers that look on live: [--clip FILE]
  rules     20 rules on each of 16 cameras at 30 frames a second, as a share of one core
  faces     a clip of people with faces off and on: [--clip FILE]
  fanout    450 frontends and 50 edges on one hub: [--seconds N]
--json prints one JSON object; --quick is for seeing that it works, not for its numbers`;

const BENCHES = {
  pipeline: async (values) =>
    (await import('./bench/pipeline.mjs')).runPipelineBench({
      ...values,
      rounds: values.rounds ?? 5,
    }),
  outbox: async (values) => (await import('./bench/outbox.mjs')).runOutboxBench(values),
  uplink: async (values) => (await import('./bench/uplink.mjs')).runUplinkBench(values),
  history: async (values) => (await import('./bench/history.mjs')).runHistoryBench(values),
  journal: async (values) => (await import('./bench/journal.mjs')).runJournalBench(values),
  api: async (values) => (await import('./bench/api.mjs')).runApiBench(values),
  fanout: async (values) => (await import('./bench/fanout.mjs')).runFanoutBench(values),
  rules: async (values) => (await import('./bench/rules.mjs')).runRulesBench(values),
  faces: async (values) => (await import('./bench/faces.mjs')).runFacesBench(values),
  hub: async (values) => (await import('./bench/hub.mjs')).runHubBench(values),
};

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    frames: { type: 'string', default: '300' },
    seconds: { type: 'string' },
    clip: { type: 'string' },
    model: { type: 'string' },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
});
const bench = BENCHES[positionals[0]];
if (values.help || bench === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
await bench({
  ...values,
  rounds: values.rounds === undefined ? null : Number(values.rounds),
  frames: Number(values.frames),
  seconds: values.seconds === undefined ? null : Number(values.seconds),
});
