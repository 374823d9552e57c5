import { describe, expect, test } from 'vitest';
import type { ToVision } from '../../../src/vision/contract.ts';
import type { VisionChildEvents } from '../../../src/vision/vision-child.ts';
import { type SupervisedProcess, VisionSupervisor } from '../../../src/vision/vision-supervisor.ts';
import { ManualClock } from '../hub/manual-clock.ts';

/** A process that does what the test says. */
class PuppetProcess implements SupervisedProcess {
  readonly events: VisionChildEvents;
  readonly got: string[] = [];
  isKilled = false;
  readonly pid: number;

  constructor(events: VisionChildEvents, pid: number) {
    this.events = events;
    this.pid = pid;
  }

  async start(first: () => ToVision): Promise<void> {
    this.send(first());
  }

  send({ kind }: ToVision): boolean {
    this.got.push(kind);
    return true;
  }

  stop(): void {
    this.got.push('stop');
  }

  kill(): void {
    this.isKilled = true;
    this.events.onEnd('it was ended by SIGKILL');
  }
}

function supervised({ refusals = 0 } = {}) {
  const clock = new ManualClock();
  const processes: PuppetProcess[] = [];
  const told: unknown[] = [];
  let refused = 0;
  const supervisor = new VisionSupervisor({
    clock,
    random: () => 0.5,
    launch: (events) => {
      const puppet = new PuppetProcess(events, processes.length + 1);
      if (refused++ < refusals) puppet.start = () => Promise.reject(new Error('EAGAIN'));
      processes.push(puppet);
      return puppet;
    },
    firstMessage: () => ({ kind: 'stop' }),
    onMessage: () => {},
    onLine: () => {},
    onEnd: (why) => told.push(['end', why]),
    onDown: (nowMs, retryAtMs) => told.push(['down', retryAtMs - nowMs]),
    onStateChange: (state) => told.push(state),
  });
  return { clock, processes, told, supervisor };
}

describe('VisionSupervisor', () => {
  test('starts another process at once after a first end, and later after more', () => {
    const { clock, processes, told, supervisor } = supervised();
    supervisor.start();
    supervisor.ready();
    processes[0]?.events.onEnd('it exited with code 1');
    expect(processes).toHaveLength(2);
    processes[1]?.events.onEnd('it exited with code 2');
    expect([supervisor.state, supervisor.pid]).toEqual(['backing-off', null]);
    expect(told).toEqual([
      ...['starting', 'running'],
      ...[['end', 'it exited with code 1'], 'starting', ['down', 0]],
      ...[['end', 'it exited with code 2'], 'backing-off', ['down', 1000]],
    ]);
    clock.advance(999);
    expect(processes).toHaveLength(2);
    clock.advance(1);
    expect([supervisor.state, supervisor.pid]).toEqual(['starting', 3]);
  });

  test('ends a process that gives no sign of life, and says that it hung', () => {
    const { clock, processes, told, supervisor } = supervised();
    supervisor.start();
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      supervisor.heard();
    }
    clock.advance(9999);
    expect(processes).toHaveLength(1);
    clock.advance(1);
    expect(processes[0]?.isKilled).toBe(true);
    expect(told).toContainEqual(['end', 'it did not answer any more']);
    expect(processes).toHaveLength(2);
    processes[1]?.events.onEnd('it exited with code 1');
    expect(told).toContainEqual(['end', 'it exited with code 1']);
  });

  test('asks a process to end, and kills it where it does not', async () => {
    const { clock, processes, told, supervisor } = supervised();
    supervisor.start();
    const stopped = supervisor.stop();
    expect(processes[0]?.got.at(-1)).toBe('stop');
    clock.advance(2999);
    expect(processes[0]?.isKilled).toBe(false);
    clock.advance(1);
    await stopped;
    expect(processes[0]?.isKilled).toBe(true);
    expect(told).toEqual(['starting', 'stopping', ['end', null], 'stopped']);
    clock.advance(60_000);
    expect(processes).toHaveLength(1);
    expect(supervisor.send({ kind: 'stop' })).toBe(false);
  });

  test('a stop while it waits for the next try starts nothing more', async () => {
    const { clock, processes, supervisor } = supervised();
    supervisor.start();
    for (const index of [0, 1]) processes[index]?.events.onEnd('it exited with code 1');
    await supervisor.stop();
    clock.advance(60_000);
    expect([supervisor.state, processes.length]).toEqual(['stopped', 2]);
  });

  test('a process that cannot be started is tried again', async () => {
    const { processes, told, supervisor } = supervised({ refusals: 1 });
    supervisor.start();
    await expect.poll(() => processes.length).toBe(2);
    expect(told).toContainEqual(['end', 'could not be started: Error: EAGAIN']);
  });
});
