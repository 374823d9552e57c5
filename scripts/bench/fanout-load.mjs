// The load of the fan-out bench: edges that deliver at a steady rate, and viewers of which each camera has as many.
// usage: node fanout-load.mjs '{"port","url","edgeToken","viewerToken","viewers","edges","perEvent","rate","seconds"}'
// -> one JSON line; what each viewer saw is for the caller to compare with the table
import { HubClient } from './hub-client.mjs';
import { IdTrail } from './id-trail.mjs';
import { RawViewer } from './raw-viewer.mjs';
import { LatencyCounts } from './stats.mjs';

const plan = JSON.parse(process.argv[2]);
const OPENING = 50;
const WARM_UP_MS = 1000;
const DRAIN_MS = 30_000;
const HEARTBEAT_MS = 4000;
const FRAME = 4;

/**
 * Edge e has camera e. The places, `perEvent` of each camera one after the other, are dealt to the viewers in turn, so
 * that each event has exactly `perEvent` viewers: of 50 x 20 = 1000 places, each of 450 viewers has two or three.
 */
const camerasOf = new Map();
for (let index = 0; index < plan.edges * plan.perEvent; index++) {
  const viewer = index % plan.viewers;
  const cameras = camerasOf.get(viewer) ?? new Set();
  camerasOf.set(viewer, cameras.add(`camera-${Math.floor(index / plan.perEvent)}`));
}

const times = new LatencyCounts();
let measureFrom = Number.POSITIVE_INFINITY;
let [deliveries, duplicates, disorders, ends] = [0, 0, 0, 0];
const seen = Array.from({ length: plan.viewers }, () => new IdTrail());
const viewers = seen.map((own, index) => {
  const cameras = [...(camerasOf.get(index) ?? ['none'])];
  return new RawViewer({
    port: plan.port,
    token: plan.viewerToken,
    id: `viewer-${index}`,
    subscription: { types: ['*'], cameras },
    onEvent(eventId, timestamp, now) {
      deliveries++;
      if (eventId === own.last) duplicates++;
      else if (eventId < own.last) disorders++;
      own.add(eventId);
      if (timestamp >= measureFrom) times.note(now - timestamp);
    },
    onEnd: () => ends++,
  });
});
const edges = Array.from(
  { length: plan.edges },
  (_, index) =>
    new HubClient({
      url: plan.url,
      token: plan.edgeToken,
      id: `bench-${index}`,
      camera: `camera-${index}`,
      frame: FRAME,
    }),
);
for (let index = 0; index < viewers.length; index += OPENING)
  await Promise.all(viewers.slice(index, index + OPENING).map((viewer) => viewer.open()));
await Promise.all(edges.map((edge) => edge.open()));

let beat = 0;
const beats = setInterval(() => {
  for (let index = beat++ % 8; index < viewers.length; index += 8) viewers[index].heartbeat();
}, HEARTBEAT_MS / 8);

const began = performance.now();
measureFrom = performance.timeOrigin + began + WARM_UP_MS;
const until = began + WARM_UP_MS + plan.seconds * 1000;
const framesPerMs = plan.rate / FRAME / 1000;
let [sent, acknowledged] = [0, 0];
const onAcknowledged = () => {
  acknowledged += FRAME;
};
const cpu = process.cpuUsage();
await new Promise((resolve) => {
  const tick = () => {
    const now = performance.now();
    // Of the time when it is due: a late sender's delay is part of what a viewer waits for.
    for (const due = Math.floor((Math.min(now, until) - began) * framesPerMs); sent < due; sent++)
      edges[sent % edges.length].send(
        onAcknowledged,
        Math.round(performance.timeOrigin + began + sent / framesPerMs),
      );
    if (now < until) setTimeout(tick, 2);
    else resolve();
  };
  tick();
});
const { user, system } = process.cpuUsage(cpu);
const expected = sent * FRAME * plan.perEvent;
const deadline = performance.now() + DRAIN_MS;
const isDone = () => deliveries >= expected && acknowledged >= sent * FRAME;
while (!isDone() && performance.now() < deadline)
  await new Promise((resolve) => setTimeout(resolve, 20));
clearInterval(beats);
for (const client of [...viewers, ...edges]) client.close();
console.log(
  JSON.stringify({
    sent: sent * FRAME,
    acknowledged,
    unacknowledged: sent * FRAME - acknowledged,
    expected,
    deliveries,
    duplicates,
    disorders,
    ended_early: ends,
    ...times.summary(),
    load_cpu: (user + system) / 1e6 / (plan.seconds + WARM_UP_MS / 1000),
    streams: edges.map((edge) => edge.acknowledged),
    viewers: seen.map((own, index) => ({ ...own, cameras: [...(camerasOf.get(index) ?? [])] })),
  }),
);
process.exit(0);
