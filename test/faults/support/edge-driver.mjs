// The edge of the fault tests: a real store and a real uplink of the compiled program under a seeded producer.
//
// Argument: JSON of `DriverOptions` (edge.ts). Commands come as JSON lines on stdin, answers and events go out as
// JSON lines on stdout. What the producer did goes into its own log, outside the store's folder and disk. The
// log needs no fsync: it has to outlive this process, and the machine under the tests is never cut off.
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const options = JSON.parse(process.argv[2]);
const load = (path) => import(new URL(path, options.dist));
const { Store } = await load('store/store.js');
const { Uplink } = await load('uplink/uplink.js');
const { systemClock: clock } = await load('system/clock.js');
const { createLogger } = await load('system/logging.js');

const KINDS = ['alert', 'face', 'event', 'detection', 'status'];
const TICK_MS = 10;

const record = openSync(options.log, 'a');
const note = (...fields) => writeSync(record, `${fields.join(' ')}\n`);
const say = (event) => writeSync(1, `${JSON.stringify(event)}\n`);

/** mulberry32: the same seed gives the same messages. */
function seeded(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const random = seeded(options.seed * 1000 + options.life);
const letters = (most) => 'x'.repeat(Math.floor(random() * most));
let { token } = options;
const counters = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
const totals = { issued: 0, obligated: 0, refused: 0 };

const box = { x: 1, y: 2, width: 3, height: 4 };
const bounds = { bounding_box: { x: 0.1, y: 0.1, width: 0.2, height: 0.3 } };

/** A message of the kind whose payload carries `id` where the oracle looks for it. */
const MESSAGES = {
  alert: (id, timestamp) => ({
    type: 'alert_triggered',
    data: {
      type: 'intrusion',
      camera_id: 'cam-1',
      severity: 'high',
      timestamp,
      data: { id, filler: letters(options.fillerBytes.alert) },
    },
  }),
  face: (id, timestamp) => ({
    type: 'face_detection_result',
    data: { camera_id: 'cam-1', timestamp, faces: [{ id, ...box }] },
  }),
  event: (id, timestamp) => ({
    type: 'object_event',
    data: {
      phase: 'new',
      event_id: id,
      camera_id: 'cam-1',
      type: 'object',
      label: 'person',
      track_id: counters.event,
      start_time: timestamp,
      last_seen_time: timestamp,
      end_time: null,
      score: 0.5,
      top_score: 0.6,
      ...bounds,
      has_snapshot: false,
      model: 'test-detector',
      timestamp,
    },
  }),
  detection: (id, timestamp) => ({
    type: 'ai_detection_result',
    data: {
      camera_id: 'cam-1',
      timestamp,
      detections: [],
      frame_id: counters.detection,
      model: id,
      // Not of the schema, and kept all the same: receivers ignore what they do not know.
      filler: letters(options.fillerBytes.detection),
    },
  }),
  status: (id, timestamp) => ({
    type: 'ai_engine_status',
    data: { timestamp, status: 'running', provider: null, model: id, cameras: [] },
  }),
};

function make(kind) {
  const id = `${kind}:${options.seed}-${options.life}-${counters[kind]++};`;
  const wallMs = clock.wallMs();
  const { type, data } = MESSAGES[kind](id, wallMs);
  const hash = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 24);
  return {
    id,
    hash,
    message: { type, cameraId: 'cam-1', data, wallMs, monoMs: clock.monotonicMs() },
  };
}

/** Alerts under way, by id: how long each takes to the hub's acknowledgement. */
const awaited = new Map();
const latencies = [];
const slowestEnqueue = { ms: 0 };

async function produce(kind, count = 1) {
  const made = Array.from({ length: count }, () => make(kind));
  const began = clock.monotonicMs();
  totals.issued += count;
  writeSync(record, made.map(({ id, hash }) => `issued ${id} ${hash}\n`).join(''));
  if (kind === 'alert') for (const { id } of made) awaited.set(id, { began, seq: null });
  try {
    await store.enqueue(made.map(({ message }) => message));
    writeSync(record, made.map(({ id }) => `obligated ${id}\n`).join(''));
    totals.obligated += count;
    slowestEnqueue.ms = Math.max(slowestEnqueue.ms, clock.monotonicMs() - began);
    return { ids: made.map(({ id }) => id), refusal: null };
  } catch (error) {
    for (const { id } of made) {
      note('refused', id, error.code ?? error.name);
      awaited.delete(id);
    }
    totals.refused += count;
    return { ids: made.map(({ id }) => id), refusal: error.code ?? String(error) };
  }
}

/** The store as the uplink sees it, with a record of what is read for sending and what is acknowledged. */
function observed(target) {
  const hooks = {
    readBatch: async (stream, limits) => {
      const batch = await target.readBatch(stream, limits);
      noteSent(stream, batch.items);
      return batch;
    },
    acked: (epoch, lane, through) => {
      note('acked', epoch, lane, through);
      if (lane === 0) settle(epoch, through);
      return target.acked(epoch, lane, through);
    },
  };
  return new Proxy(target, {
    get(object, key) {
      if (Object.hasOwn(hooks, key)) return hooks[key];
      const value = object[key];
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}

function noteSent({ epoch, lane }, items) {
  if (items.length === 0) return;
  const lines = items.map((item) =>
    item.kind === 'gap'
      ? `gap ${epoch} ${lane} ${item.gap.from_seq} ${item.gap.to_seq} ${item.gap.count} ${item.gap.reason}\n`
      : `sent ${epoch} ${lane} ${item.seq} ${item.messageId}\n`,
  );
  writeSync(record, lines.join(''));
  if (lane !== 0) return;
  for (const item of items) {
    const id = item.kind === 'message' ? /alert:[\d-]+;/.exec(item.body)?.[0] : undefined;
    const waiting = awaited.get(id);
    if (waiting !== undefined) Object.assign(waiting, { epoch, seq: item.seq });
  }
}

function settle(epoch, through) {
  for (const [id, waiting] of awaited) {
    if (waiting.seq === null || waiting.epoch !== epoch || waiting.seq > through) continue;
    awaited.delete(id);
    latencies.push(clock.monotonicMs() - waiting.began);
    waiting.resolve?.();
  }
}

/** Rates per second by kind; a kind's messages are spread evenly. */
let rates = options.rates;
const owed = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
let last = clock.monotonicMs();

function tick() {
  const now = clock.monotonicMs();
  const passed = Math.min(now - last, 1000);
  last = now;
  for (const kind of KINDS) {
    owed[kind] += ((rates[kind] ?? 0) * passed) / 1000;
    for (; owed[kind] >= 1; owed[kind]--) void produce(kind);
  }
  setTimeout(tick, TICK_MS);
}

const COMMANDS = {
  rates: async ({ rates: next }) => {
    rates = next;
    return null;
  },
  /** Enqueues `count` messages of a kind, `group` to a call and one call at a time. */
  burst: async ({ kind, count, group = 1 }) => {
    let refused = 0;
    const began = clock.monotonicMs();
    slowestEnqueue.ms = 0;
    for (let left = count; left > 0; left -= group) {
      const { refusal, ids } = await produce(kind, Math.min(group, left));
      if (refusal !== null) refused += ids.length;
    }
    return { refused, tookMs: clock.monotonicMs() - began, slowestMs: slowestEnqueue.ms };
  },
  /** An alert, and how long it took until the hub acknowledged it. */
  probe: async () => {
    const began = clock.monotonicMs();
    const producing = produce('alert');
    const [id, waiting] = [...awaited].at(-1);
    const acked = new Promise((resolve) => {
      waiting.resolve = resolve;
    });
    const { refusal } = await producing;
    if (refusal !== null) return { id, refusal, tookMs: null };
    await acked;
    return { id, refusal: null, tookMs: clock.monotonicMs() - began };
  },
  enqueue: async ({ kind }) => produce(kind),
  queue: () => store.queue(),
  /** Another token, as if its file had been replaced. */
  token: async ({ token: next }) => {
    token = next;
    return null;
  },
  status: async () => ({
    uplink: uplink?.status ?? null,
    totals,
    alertsUnderWay: awaited.size,
    memory: process.memoryUsage(),
    cpu: process.cpuUsage(),
  }),
  /** Alert latencies, enqueue to acknowledgement in milliseconds, since the last such question. */
  latencies: async () => latencies.splice(0),
  stop: async ({ drainMs }) => {
    rates = {};
    await uplink?.stop({ drainMs });
    await store.close();
    process.exitCode = 0;
    setImmediate(() => process.exit());
    return null;
  },
};

async function obey(line) {
  const { id, command, ...args } = JSON.parse(line);
  try {
    say({ answer: id, result: (await COMMANDS[command](args)) ?? null });
  } catch (error) {
    say({ answer: id, error: error.code ?? String(error) });
  }
}

say({ event: 'started', pid: process.pid });
const log = createLogger({
  level: 'debug',
  name: 'edge',
  destination: { write: (line) => writeSync(2, line) },
});
const opening = clock.monotonicMs();
const store = await Store.open({ dir: options.dir, clock, log, ...options.store });
const tookMs = clock.monotonicMs() - opening;
const uplink =
  options.hubUrl === null
    ? null
    : new Uplink({
        url: options.hubUrl,
        token: () => token,
        clientId: options.clientId,
        store: observed(store),
        clock,
        random,
        log,
      });
uplink?.start();
tick();
createInterface({ input: process.stdin }).on('line', (line) => void obey(line));
say({ event: 'open', tookMs });
