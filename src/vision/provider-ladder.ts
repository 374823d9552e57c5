import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import type { ExecutionProvider, ProviderReport } from './contract.ts';

const TIMED_RUNS = 3;
/** Half precision and another order of adding change scores a little; a provider that errs computes nonsense. */
const LARGEST_DIFFERENCE = 0.1;

/** What is needed of a loaded session to judge it. */
export interface Candidate {
  /** Runs the model on the test picture; gives its class scores. */
  run(): Promise<Float32Array>;
  release(): Promise<void>;
}

export interface LadderOptions<Session extends Candidate> {
  providers: readonly ExecutionProvider[];
  /** Not tried, for these reasons. */
  excluded: ProviderReport['refused'];
  clock: Clock;
  load: (provider: ExecutionProvider) => Promise<Session>;
  /** Awaited before each attempt: a native crash ends the process, and someone must know what it was at. */
  announce: (provider: ExecutionProvider) => Promise<void>;
}

export interface LadderResult<Session> {
  session: Session;
  provider: ExecutionProvider;
  inferenceMs: number;
  refused: ProviderReport['refused'];
}

interface Trial<Session> {
  session: Session;
  inferenceMs: number;
  scores: Float32Array;
}

/**
 * Takes the first provider that loads the model, computes what the CPU computes, and is faster than the CPU. What
 * a runtime lists as available says nothing about any of that: providers load and then leave all work to the CPU.
 *
 * @throws ApexError VISION_NO_PROVIDER when not even the last one runs the model
 */
export async function climbLadder<Session extends Candidate>(
  options: LadderOptions<Session>,
): Promise<LadderResult<Session>> {
  const refused = [...options.excluded];
  for (const provider of options.providers) {
    if (options.excluded.some((entry) => entry.provider === provider)) continue;
    await options.announce(provider);
    const trial = await attempt(provider, options);
    if (typeof trial !== 'string') {
      return { session: trial.session, provider, inferenceMs: trial.inferenceMs, refused };
    }
    refused.push({ provider, reason: trial });
  }
  const reasons = refused.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ');
  throw new ApexError('VISION_NO_PROVIDER', `no execution provider runs the model (${reasons})`);
}

/** A proven session, or why there is none. */
async function attempt<Session extends Candidate>(
  provider: ExecutionProvider,
  { load, clock }: LadderOptions<Session>,
): Promise<Trial<Session> | string> {
  let trial: Trial<Session> | null = null;
  try {
    trial = await timedTrial(await load(provider), clock);
    const objection = provider === 'cpu' ? null : await compareWithCpu(trial, load, clock);
    if (objection === null) return trial;
    await trial.session.release();
    return objection;
  } catch (error) {
    return firstLine(error);
  }
}

async function compareWithCpu<Session extends Candidate>(
  trial: Trial<Session>,
  load: (provider: ExecutionProvider) => Promise<Session>,
  clock: Clock,
): Promise<string | null> {
  const cpu = await timedTrial(await load('cpu'), clock);
  await cpu.session.release();
  const difference = largestDifference(trial.scores, cpu.scores);
  if (!(difference <= LARGEST_DIFFERENCE)) {
    return `its scores differ from those of the CPU by ${difference.toFixed(2)}`;
  }
  if (trial.inferenceMs < cpu.inferenceMs) return null;
  const [own, cpus] = [trial.inferenceMs, cpu.inferenceMs].map((ms) => `${ms.toFixed(1)} ms`);
  return `not faster than the CPU (${own} against ${cpus})`;
}

async function timedTrial<Session extends Candidate>(
  session: Session,
  clock: Clock,
): Promise<Trial<Session>> {
  // The first run allocates memory and, on a GPU, compiles.
  let scores = await session.run();
  const times: number[] = [];
  for (let run = 0; run < TIMED_RUNS; run++) {
    const began = clock.monotonicMs();
    scores = await session.run();
    times.push(clock.monotonicMs() - began);
  }
  times.sort((a, b) => a - b);
  return { session, scores, inferenceMs: times[Math.floor(TIMED_RUNS / 2)] as number };
}

/** Not a number as soon as one of the values is none. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? 0))), 0);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]?.trim() || 'no reason given';
}
