// An edge without cameras: the product's store and uplink in one process, fed at a steady rate; or the same process
// without them, to see what they add.
// usage, forked: node edge-process.mjs '{"dir","url","token","per_s","with_queue"}'
//   takes {do: 'flow', alerts, alert_every_ms, seconds} | {do: 'backlog', messages} | {do: 'await_ack'} | {do: 'end'}
//   tells the same `do` with measurements when it is done, and {do: 'ready'} at first
import { readFileSync } from 'node:fs';
import { systemClock } from '../../dist/system/clock.js';
import { silentLogger } from '../../dist/system/logger.js';
import { alert, detectionResult } from './payload.mjs';
import { latencies, rounded } from './stats.mjs';

const plan = JSON.parse(process.argv[2]);
const CHUNK = 64;
const DETECTIONS = 2;

/** Watches what the hub acknowledged, on its way from the uplink to the store. */
class Acknowledgements {
  #through = [0, 0, 0, 0];
  #waiting = [];

  of(store) {
    return new Proxy(store, {
      get: (target, key) => {
        if (key === 'acked')
          return (epoch, lane, through) => {
            this.#note(lane, through);
            target.acked(epoch, lane, through);
          };
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** Resolves with the time when everything of the lane up to the number is acknowledged. */
  reached(lane, seq) {
    if (this.#through[lane] >= seq) return Promise.resolve(performance.now());
    return new Promise((resolve) => this.#waiting.push({ lane, seq, resolve }));
  }

  #note(lane, through) {
    this.#through[lane] = Math.max(this.#through[lane], through);
    const now = performance.now();
    this.#waiting = this.#waiting.filter((waiting) => {
      if (this.#through[waiting.lane] < waiting.seq) return true;
      waiting.resolve(now);
      return false;
    });
  }
}

async function openQueue(acknowledgements) {
  const { Store } = await import('../../dist/store/store.js');
  const { Uplink } = await import('../../dist/uplink/uplink.js');
  const store = await Store.open({ dir: plan.dir, clock: systemClock, log: silentLogger });
  const uplink = new Uplink({
    url: plan.url,
    token: () => plan.token,
    clientId: 'bench-edge',
    store: acknowledgements.of(store),
    clock: systemClock,
    random: Math.random,
    log: silentLogger,
  });
  return { store, uplink };
}

const acknowledgements = new Acknowledgements();
const queue = plan.with_queue ? await openQueue(acknowledgements) : null;

function detection() {
  const wallMs = Date.now();
  const at = { cameraId: 'gate', wallMs, monoMs: systemClock.monotonicMs() };
  return { ...at, type: 'ai_detection_result', data: detectionResult('gate', wallMs) };
}

async function enqueue(messages) {
  if (queue === null) JSON.stringify(messages);
  else await queue.store.enqueue(messages);
}

/** Detections at the rate of the plan until stopped. */
function startFlow() {
  const began = performance.now();
  let count = 0;
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) / 1000) * plan.per_s; count < due; count++)
      void enqueue([detection()]);
  }, 5);
  return () => clearInterval(timer);
}

async function alertLatency() {
  const wallMs = Date.now();
  const seq = queue.store.position.nextSeq[0];
  const began = performance.now();
  const data = alert('gate', wallMs);
  const at = { cameraId: 'gate', wallMs, monoMs: systemClock.monotonicMs() };
  await queue.store.enqueue([{ ...at, type: 'alert_triggered', data }]);
  return (await acknowledgements.reached(0, seq)) - began;
}

function usage() {
  const { user, system } = process.cpuUsage();
  const io = readFileSync('/proc/self/io', 'utf8');
  return {
    cpuS: (user + system) / 1e6,
    written: Number(/^write_bytes: (\d+)/m.exec(io)[1]),
    at: performance.now(),
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const ACTIONS = {
  /** Alerts one after the other while detections flow; then what flowing alone costs. */
  async flow({ alerts, alert_every_ms: everyMs, seconds }) {
    queue?.uplink.start();
    const stop = startFlow();
    const times = [];
    for (let sent = 0; sent < (queue === null ? 0 : alerts); sent++) {
      times.push(await alertLatency());
      await pause(everyMs);
    }
    const before = usage();
    await pause(seconds * 1000);
    const after = usage();
    stop();
    const tookS = (after.at - before.at) / 1000;
    return {
      alert: latencies(times),
      alerts: times.length,
      cpu_share: rounded((after.cpuS - before.cpuS) / tookS, 4),
      bytes_per_day: Math.round(((after.written - before.written) / tookS) * 86_400),
      rss_mb: rounded(process.memoryUsage.rss() / 1e6),
    };
  },

  /** Kept while there is no hub to send to; then the time from the start of the uplink until all is acknowledged. */
  async backlog({ messages }) {
    const { store, uplink } = queue;
    for (let sent = 0; sent < messages; sent += CHUNK) {
      const size = Math.min(CHUNK, messages - sent);
      await store.enqueue(Array.from({ length: size }, detection));
    }
    const last = store.position.nextSeq[DETECTIONS] - 1;
    const began = performance.now();
    uplink.start();
    const drainedS = ((await acknowledgements.reached(DETECTIONS, last)) - began) / 1000;
    return { messages, seconds: rounded(drainedS, 3), per_s: Math.round(messages / drainedS) };
  },

  /** The next acknowledgement of what is enqueued from now on. */
  async await_ack() {
    const seq = queue.store.position.nextSeq[0];
    const wallMs = Date.now();
    const at = { cameraId: 'gate', wallMs, monoMs: systemClock.monotonicMs() };
    await queue.store.enqueue([{ ...at, type: 'alert_triggered', data: alert('gate', wallMs) }]);
    return { at: performance.timeOrigin + (await acknowledgements.reached(0, seq)) };
  },

  async end() {
    await queue?.uplink.stop({ drainMs: 2000 });
    await queue?.store.close();
    setImmediate(() => process.disconnect());
    return {};
  },
};

process.on('message', ({ do: action, ...of }) => {
  void ACTIONS[action](of).then((result) => process.send({ do: action, ...result }));
});
process.send({ do: 'ready' });
