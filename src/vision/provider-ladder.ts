import type { Tensor } from 'onnxruntime-node';
import type { PreparedModel } from '../models/prepared-model.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { ExecutionProvider } from './contract.ts';
import { Detector } from './detector.ts';

const TIMED_RUNS = 3;
/** Half precision and another order of adding change scores a little; a provider that errs computes nonsense. */
const MAX_SCORE_DIFFERENCE = 0.1;

export interface LadderOptions {
  model: PreparedModel;
  providers: readonly ExecutionProvider[];
  excluded: readonly { provider: ExecutionProvider; reason: string }[];
  threads: number;
  clock: Clock;
  /** Told before each attempt: a native crash ends the process, and this is how the next one knows why. */
  onAttempt: (provider: ExecutionProvider) => void;
}

export interface LadderResult {
  detector: Detector;
  provider: ExecutionProvider;
  /** Median milliseconds of one run of one frame. */
  inferenceMs: number;
  refused: { provider: ExecutionProvider; reason: string }[];
}

/**
 * Takes the first provider that really runs the model: one that loads it, computes what the CPU computes and is
 * faster than the CPU. What a runtime lists as available says nothing about any of that.
 * @throws ApexError VISION_NO_PROVIDER when not even the last one runs
 */
export async function climbLadder(options: LadderOptions): Promise<LadderResult> {
  const refused = options.excluded.map((entry) => ({ ...entry }));
  for (const provider of options.providers) {
    if (refused.some((entry) => entry.provider === provider)) continue;
    options.onAttempt(provider);
    try {
      return { ...(await attempt(provider, options)), provider, refused };
    } catch (error) {
      refused.push({ provider, reason: firstLine(error) });
    }
  }
  const reasons = refused.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ');
  throw new ApexError('VISION_NO_PROVIDER', `no execution provider runs the model (${reasons})`);
}

async function attempt(
  provider: ExecutionProvider,
  { model, threads, clock }: LadderOptions,
): Promise<{ detector: Detector; inferenceMs: number }> {
  const frame = probeFrame(model);
  const detector = await Detector.create(model, { provider, threads });
  const timed = await timedRun(detector, frame, clock);
  if (provider !== 'cpu') {
    const cpu = await timedRun(
      await Detector.create(model, { provider: 'cpu', threads }),
      frame,
      clock,
    );
    const difference = largestDifference(timed.output, cpu.output);
    if (!(difference <= MAX_SCORE_DIFFERENCE)) {
      throw new Error(`its scores differ from the CPU's by ${difference.toFixed(3)}`);
    }
    if (timed.inferenceMs >= cpu.inferenceMs) {
      throw new Error(
        `not faster than the CPU (${timed.inferenceMs.toFixed(1)} ms against ${cpu.inferenceMs.toFixed(1)} ms)`,
      );
    }
  }
  return { detector, inferenceMs: timed.inferenceMs };
}

async function timedRun(
  detector: Detector,
  frame: Uint8Array,
  clock: Clock,
): Promise<{ inferenceMs: number; output: Tensor }> {
  // The first run allocates and, on a GPU, compiles.
  let outputs = await detector.run([frame]);
  const times: number[] = [];
  for (let run = 0; run < TIMED_RUNS; run++) {
    const began = clock.monotonicMs();
    outputs = await detector.run([frame]);
    times.push(clock.monotonicMs() - began);
  }
  times.sort((a, b) => a - b);
  const output = outputs.at(-1);
  if (output === undefined) throw new Error('the model has no output');
  return { inferenceMs: times[TIMED_RUNS >> 1] as number, output };
}

/** A picture with edges in it, the same every time: a plain one would compare nothing. */
function probeFrame({ width, height }: PreparedModel): Uint8Array {
  const frame = new Uint8Array(width * height * 3);
  let state = 1;
  for (let index = 0; index < frame.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    frame[index] = ((index >> 5) & 1) * 128 + (state >>> 25);
  }
  return frame;
}

/** Of the class scores: the last output. */
function largestDifference(a: Tensor, b: Tensor): number {
  const [left, right] = [a.data as Float32Array, b.data as Float32Array];
  let largest = 0;
  for (let index = 0; index < left.length; index++) {
    const difference = Math.abs((left[index] as number) - (right[index] as number));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]?.trim() || 'no reason given';
}
