import { parentPort } from 'node:worker_threads';
import type { PreparedModel } from '../models/prepared-model.ts';
import { systemClock } from '../system/clock.ts';
import { asApexError } from '../system/errors.ts';
import type { ExecutionProvider } from './contract.ts';
import { Detector } from './detector.ts';
import { climbLadder } from './provider-ladder.ts';
import type { FromWorker, ToWorker, WorkerFrame } from './worker-protocol.ts';

// Worker thread: owns ONNX Runtime sessions, because a run blocks the thread that asks for it.

const detectors = new Map<string, Promise<Detector>>();
let settings: { provider: ExecutionProvider; threads: number } | null = null;

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

/** One session for each prepared model, made at its first frame and kept for good. */
function detectorOf(model: PreparedModel): Promise<Detector> {
  let detector = detectors.get(model.path);
  if (detector === undefined) {
    if (settings === null) throw new Error('the worker was not opened');
    detector = Detector.create(model, settings);
    detectors.set(model.path, detector);
  }
  return detector;
}

async function open(message: ToWorker & { kind: 'open' }): Promise<void> {
  const { model, providers, excluded, threads } = message;
  try {
    const { detector, provider, inferenceMs, refused } = await climbLadder({
      model,
      providers,
      excluded,
      threads,
      clock: systemClock,
      onAttempt: (attempted) => send({ kind: 'trying', provider: attempted }),
    });
    settings = { provider, threads };
    detectors.set(model.path, Promise.resolve(detector));
    send({ kind: 'opened', provider, inferenceMs, refused });
  } catch (error) {
    send({ kind: 'open-failed', error: asApexError(error, 'VISION_NO_PROVIDER').toJSON() });
  }
}

async function run(model: PreparedModel, frames: readonly WorkerFrame[]): Promise<void> {
  try {
    const detector = await detectorOf(model);
    const began = systemClock.monotonicMs();
    const detections = await detector.detect(
      frames.map(({ memory, offset, length, geometry, minScore }) => ({
        pixels: new Uint8Array(memory, offset, length),
        geometry,
        minScore,
      })),
    );
    send({ kind: 'detections', detections, inferenceMs: systemClock.monotonicMs() - began });
  } catch (error) {
    send({ kind: 'run-failed', message: error instanceof Error ? error.message : String(error) });
  }
}

parentPort?.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'open':
      void open(message);
      return;
    case 'run':
      void run(message.model, message.frames);
      return;
    case 'end':
      parentPort?.close();
  }
});
