// The load generator: many clients in one process against one server.
// usage: node load.mjs '{"kind","url","token","clients","frame","in_flight","rate","warm_up_s","seconds"}'
//   kind: hub, echo, socketio, mqtt; frame: messages of one frame
//   rate: messages a second over all clients, sent when they are due whatever came back; null: as many as are
//   acknowledged, with `in_flight` frames on their way over all clients, who send in turn
// -> one JSON line of measurements
import { HubClient } from './hub-client.mjs';
import { EchoClient, MqttClient, SocketIoClient } from './peer-clients.mjs';
import { latencies } from './stats.mjs';

const KINDS = { hub: HubClient, echo: EchoClient, socketio: SocketIoClient, mqtt: MqttClient };
/** For acknowledgements of what is on its way at the end. */
const DRAIN_MS = 20_000;
/** Opened side by side, so that a listen queue of usual length does not overflow. */
const OPENING = 50;

const plan = JSON.parse(process.argv[2]);
const clients = Array.from(
  { length: plan.clients },
  (_, index) => new KINDS[plan.kind]({ ...plan, id: `bench-${String(index).padStart(4, '0')}` }),
);
for (let index = 0; index < clients.length; index += OPENING)
  await Promise.all(clients.slice(index, index + OPENING).map((client) => client.open()));

const began = performance.now();
const measureFrom = began + plan.warm_up_s * 1000;
const until = measureFrom + plan.seconds * 1000;
const times = [];
let outstanding = 0;
let acknowledged = 0;
let measured = 0;
let cpu = process.cpuUsage();
setTimeout(() => {
  cpu = process.cpuUsage();
}, plan.warm_up_s * 1000);

/** @param since when the frame was due: a late sender's delay is part of what its user waits for */
function sendFrame(client, since, onAcknowledged) {
  outstanding++;
  client.send(() => {
    const now = performance.now();
    outstanding--;
    acknowledged += plan.frame;
    if (now >= measureFrom && now < until) {
      measured += plan.frame;
      times.push(now - since);
    }
    onAcknowledged?.(now);
  });
}

function saturate() {
  let turn = 0;
  const again = (now) => {
    if (now < until) sendFrame(clients[turn++ % clients.length], now, again);
  };
  for (let frame = 0; frame < plan.in_flight; frame++) again(performance.now());
}

function pace() {
  const framesPerMs = plan.rate / plan.frame / 1000;
  let sent = 0;
  const tick = () => {
    const now = performance.now();
    for (const due = Math.floor((Math.min(now, until) - began) * framesPerMs); sent < due; sent++)
      sendFrame(clients[sent % clients.length], began + sent / framesPerMs);
    if (now < until) setTimeout(tick, 1);
  };
  tick();
}

if (plan.rate === null) saturate();
else pace();

while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
const { user, system } = process.cpuUsage(cpu);
const deadline = performance.now() + DRAIN_MS;
while (outstanding > 0 && performance.now() < deadline)
  await new Promise((resolve) => setTimeout(resolve, 10));
for (const client of clients) client.close();
console.log(
  JSON.stringify({
    per_s: measured / plan.seconds,
    ...latencies(times),
    acknowledged,
    unacknowledged: outstanding * plan.frame,
    load_cpu: (user + system) / 1e6 / plan.seconds,
    streams: plan.kind === 'hub' ? clients.map((client) => client.acknowledged) : [],
  }),
);
process.exit(0);
