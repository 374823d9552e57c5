// Enqueues alerts until it is killed, and says on stdout which ones the store has promised to keep.
// Arguments: folder of the store, number of the first alert, URL of the compiled program.
import { writeSync } from 'node:fs';

const [dir, first, dist] = process.argv.slice(2);
const { Store } = await import(new URL('store/store.js', dist));
const { systemClock } = await import(new URL('system/clock.js', dist));
const { silentLogger } = await import(new URL('system/logger.js', dist));

const store = await Store.open({ dir, clock: systemClock, log: silentLogger });
writeSync(1, 'open\n');

async function enqueue(n) {
  const wallMs = systemClock.wallMs();
  const body = { type: 'intrusion', camera_id: 'c', severity: 'high', timestamp: wallMs };
  const data = { ...body, data: { n, filler: 'x'.repeat(n % 3000) } };
  const monoMs = systemClock.monotonicMs();
  await store.enqueue([{ type: 'alert_triggered', cameraId: 'c', data, wallMs, monoMs }]);
  writeSync(1, `${n}\n`);
}

for (let n = Number(first); ; n += 3)
  await Promise.all([enqueue(n), enqueue(n + 1), enqueue(n + 2)]);
