// Alerts, events and detections into a store, with acknowledgements between, over several lives of the store.
// Arguments: folder, URL of the compiled program, numbers of lives and of rounds. Runs under recorder.c: what the store has
// promised (`kept N`) and what it may delete (`freed N`: alerts up to N) goes into `marks` in line with its writes.
import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const [dir, dist, lives, rounds] = process.argv.slice(2);
const { Store } = await import(new URL('store/store.js', dist));
const { systemClock: clock } = await import(new URL('system/clock.js', dist));
const { silentLogger: log } = await import(new URL('system/logger.js', dist));

const GROUP = 3;
/** So long that an alert takes several pages, and the log is moved into the file a few times. */
const FILLER = 6000;

mkdirSync(dir, { recursive: true });
const marks = openSync(join(dir, 'marks'), 'a');
const mark = (text) => writeSync(marks, `${text}\n`);
let next = 1;

const at = () => ({ cameraId: 'c', wallMs: clock.wallMs(), monoMs: clock.monotonicMs() });

function alert(n) {
  const data = { n, filler: String(n % 10).repeat((n * 977) % FILLER) };
  const body = { type: 'intrusion', camera_id: 'c', severity: 'high', timestamp: 1, data };
  return { type: 'alert_triggered', data: body, ...at() };
}

function detection() {
  const data = { camera_id: 'c', timestamp: 1, detections: [], model: 'm'.repeat(300) };
  return { type: 'ai_detection_result', data, ...at() };
}

async function keep(store, n) {
  await store.enqueue([alert(n)]);
  mark(`kept ${n}`);
}

/** Acknowledges everything of the lane up to a fifth before the newest, in the order of its streams. */
async function free(store) {
  const { streams } = await store.streams(1000);
  const through = next - Math.ceil(next / 5);
  mark(`freed ${through}`);
  for (const { epoch, lane, nextSeq } of streams)
    if (lane === 0) store.acked(epoch, lane, Math.min(through, nextSeq - 1));
}

for (let life = 0; life < Number(lives); life++) {
  const store = await Store.open({ dir, clock, log });
  for (let round = 0; round < Number(rounds) / Number(lives); round++) {
    const alerts = Array.from({ length: GROUP }, () => keep(store, next++));
    await Promise.all([...alerts, store.enqueue([detection(), detection()])]);
    if (round % 10 === 9) await free(store);
  }
  await store.close();
}
