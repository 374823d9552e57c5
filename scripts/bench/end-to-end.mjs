// The product's own pipeline on one file as fast as it goes: vision process (ffmpeg, shared memory, inference
// workers), IPC, tracking, events. Nothing is left out but storing and sending.
// usage: node end-to-end.mjs MODEL CLIP FRAMES WORKERS PREPARED_DIR -> one JSON line
import { CameraEvents } from '../../dist/events/camera-events.js';
import { systemClock } from '../../dist/system/clock.js';
import { silentLogger } from '../../dist/system/logger.js';
import { VisionHandle } from '../../dist/vision/handle.js';
import { treeUsage } from './process-tree.mjs';

const [model, clip, limit, workers, preparedDir] = process.argv.slice(2);
/** Frames before the clock starts: sessions, caches and the decoder have settled by then. */
const WARM_UP = 50;

const vision = new VisionHandle({ clock: systemClock, random: Math.random, log: silentLogger });
const events = new CameraEvents({
  cameraId: 'bench',
  minScore: 0.4,
  frameIntervalMs: null,
  random: Math.random,
  snapshots: false,
});
let frames = 0;
let detections = 0;
let began = null;
let usage = null;

const measured = new Promise((resolve) => {
  vision.on('result', (result) => {
    events.frame(result);
    frames++;
    if (frames === WARM_UP) {
      began = performance.now();
      usage = treeUsage();
    }
    detections += result.detections.filter(({ score }) => score >= 0.4).length;
    if (frames === WARM_UP + Number(limit)) resolve();
  });
});
vision.start({
  detector: {
    model,
    preparedDir,
    labels: null,
    providers: ['cpu'],
    workers: Number(workers),
    threadsPerWorker: 1,
    minScore: 0.1,
  },
  cameras: [
    {
      id: 'bench',
      source: { kind: 'file', paths: [clip], pace: 'max', loop: true },
      fps: 'all',
      minScore: 0.4,
      labels: null,
      decoder: 'software',
      analysed: null,
      snapshot: null,
      stallTimeoutMs: 30_000,
      frozenTimeoutMs: 0,
    },
  ],
  ffmpegPath: 'ffmpeg',
});
await measured;
const seconds = (performance.now() - began) / 1000;
const ended = treeUsage();
await vision.stop();
console.log(
  JSON.stringify({
    frames: Number(limit),
    seconds,
    cpuSeconds: ended.cpuSeconds - usage.cpuSeconds,
    rssMb: ended.rssMb,
    detections,
  }),
);
