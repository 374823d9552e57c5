import { availableParallelism } from 'node:os';
import { systemClock } from '../system/clock.ts';
import { type ApexError, asApexError } from '../system/errors.ts';
import type { FromVision, ToVision } from './contract.ts';
import { ipcLogger } from './ipc-logger.ts';
import { VisionRuntime } from './vision-runtime.ts';

// The vision process: a child of the daemon, which talks to it over Node's IPC channel (contract.ts). It ends
// when it is asked to, and when the channel closes because the daemon is gone.

/** Work in hand that takes longer is given up: by SIGKILL, since the native runtime survives no other end. */
const STOP_LIMIT_MS = 2000;

let runtime: VisionRuntime | null = null;
let isStopping = false;

function send(message: FromVision): void {
  void sendFlushed(message);
}

/** Resolves when the message has left this process, or there is nobody to get it. */
function sendFlushed(message: FromVision): Promise<void> {
  return new Promise((resolve) => {
    // An error means that the daemon is gone, and 'disconnect' tells that too.
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}

const log = ipcLogger(send);

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  systemClock.setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_LIMIT_MS);
  await runtime?.stop();
  if (process.connected) process.disconnect();
  // No thread is left that this could interrupt.
  process.exit();
}

async function fail(error: ApexError): Promise<void> {
  process.exitCode = 1;
  await sendFlushed({ kind: 'fatal', error: error.toJSON() });
  await stop();
}

function crash(error: unknown): void {
  log.error({ err: error }, 'vision process failed');
  void fail(asApexError(error, 'INTERNAL'));
}

async function answerSnapshot(request: ToVision & { kind: 'snapshot' }): Promise<void> {
  const { requestId, cameraId, frameId, maxWidth } = request;
  const image = await (runtime?.snapshot(cameraId, frameId, maxWidth) ?? null)?.catch(
    (error: unknown) => {
      log.warn({ err: error, cameraId, frameId }, 'snapshot failed');
      return null;
    },
  );
  send({ kind: 'snapshot', requestId, image: image ?? null });
}

async function answerFaces(request: ToVision & { kind: 'faces' }): Promise<void> {
  const { requestId, cameraId, frameId, persons } = request;
  const faces = await (runtime?.faces(cameraId, frameId, persons) ?? null)?.catch(
    (error: unknown) => {
      log.warn({ err: error, cameraId, frameId }, 'faces could not be read');
      return null;
    },
  );
  send({ kind: 'faces', requestId, faces: faces ?? null });
}

function receive(message: ToVision): void {
  if (message.kind === 'stop') {
    void stop();
  } else if (message.kind === 'snapshot') {
    void answerSnapshot(message);
  } else if (message.kind === 'faces') {
    void answerFaces(message);
  } else if (message.kind !== 'start') {
    runtime?.changeCameras(message).catch(crash);
  } else if (runtime === null && !isStopping) {
    runtime = new VisionRuntime(message, {
      clock: systemClock,
      random: Math.random,
      cores: availableParallelism(),
      log,
      send,
      sendFlushed,
      onFatal: (error) => void fail(error),
    });
    runtime.start();
  }
}

process.on('message', receive);
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
// Ctrl-C reaches every process of the terminal; the daemon decides what it means for this one.
process.on('SIGINT', () => {});
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
