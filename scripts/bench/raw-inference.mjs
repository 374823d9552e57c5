// The raw limit: session.run in a loop on the prepared model, the same worker threads and settings as the
// vision process, a constant input, nothing else.
// usage: node raw-inference.mjs PREPARED_MODEL WIDTH HEIGHT WORKERS THREADS SECONDS -> one JSON line
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { treeUsage } from './process-tree.mjs';

async function runWorker() {
  const { default: ort } = await import('onnxruntime-node');
  const { model, width, height, threads } = workerData;
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const input = new ort.Tensor('uint8', new Uint8Array(3 * width * height).fill(114), [
    1,
    3,
    height,
    width,
  ]);
  const feeds = { [session.inputNames[0]]: input };
  await session.run(feeds);
  parentPort.postMessage('ready');
  const seconds = await new Promise((resolve) => parentPort.once('message', resolve));
  const end = performance.now() + seconds * 1000;
  let frames = 0;
  while (performance.now() < end) {
    await session.run(feeds);
    frames++;
  }
  parentPort.postMessage(frames);
}

async function main() {
  const [model, width, height, workers, threads, seconds] = process.argv.slice(2);
  const data = { model, width: Number(width), height: Number(height), threads: Number(threads) };
  const pool = Array.from(
    { length: Number(workers) },
    () => new Worker(new URL(import.meta.url), { workerData: data }),
  );
  const next = (worker) => new Promise((resolve) => worker.once('message', resolve));
  await Promise.all(pool.map(next));
  const usage = treeUsage();
  const began = performance.now();
  for (const worker of pool) worker.postMessage(Number(seconds));
  const counts = await Promise.all(pool.map(next));
  const ended = treeUsage();
  console.log(
    JSON.stringify({
      frames: counts.reduce((sum, count) => sum + count, 0),
      seconds: (performance.now() - began) / 1000,
      cpuSeconds: ended.cpuSeconds - usage.cpuSeconds,
      rssMb: ended.rssMb,
    }),
  );
}

if (isMainThread) await main();
else await runWorker();
