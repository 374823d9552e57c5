import { describe, expect, test } from 'vitest';
import {
  transition,
  type VisionEvent,
  type VisionState,
} from '../../../src/vision/vision-state.ts';

const ended = (nowMs: number, random = 0.5): VisionEvent => ({ kind: 'ended', nowMs, random });

/** Feeds events in a row and tells the states and actions that followed. */
function play(events: readonly VisionEvent[], from: VisionState = { name: 'stopped' }) {
  let state = from;
  const told = events.map((event) => {
    const { next, action } = transition(state, event);
    state = next;
    return action === null ? next.name : `${next.name}+${action}`;
  });
  return { told, state };
}

describe('transition', () => {
  test('starts, runs and stops', () => {
    const { told } = play([
      { kind: 'start' },
      { kind: 'ready', nowMs: 5 },
      { kind: 'stop' },
      ended(9),
      { kind: 'start' },
    ]);
    expect(told).toEqual([
      'starting+start',
      'running',
      'stopping+stop',
      'stopped',
      'starting+start',
    ]);
  });

  test('the first failure is answered at once, the second after a wait', () => {
    const { told, state } = play([
      { kind: 'start' },
      { kind: 'ready', nowMs: 0 },
      ended(1000),
      { kind: 'ready', nowMs: 2000 },
      ended(3000),
    ]);
    expect(told.slice(2)).toEqual(['starting+start', 'running', 'backing-off']);
    expect(state).toEqual({ name: 'backing-off', failures: 2, retryAtMs: 3000 + 0.5 * 2000 });
    expect(play([{ kind: 'due' }], state).told).toEqual(['starting+start']);
  });

  test('waits grow to half a minute', () => {
    let state: VisionState = { name: 'starting', failures: 0 };
    const waits: number[] = [];
    for (let failure = 0; failure < 8; failure++) {
      ({ state } = play([ended(0, 1)], state));
      if (state.name === 'backing-off') waits.push(state.retryAtMs);
      ({ state } = play([{ kind: 'due' }], state));
    }
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('a minute of running wipes the slate', () => {
    const failing: VisionState = { name: 'running', failures: 6, sinceMs: 1000 };
    expect(play([ended(60_999)], failing).told).toEqual(['backing-off']);
    expect(play([ended(61_000)], failing).state).toEqual({ name: 'starting', failures: 1 });
  });

  test('stopping while waiting ends the wait', () => {
    const waiting: VisionState = { name: 'backing-off', failures: 2, retryAtMs: 99 };
    expect(play([{ kind: 'stop' }, { kind: 'due' }], waiting).told).toEqual(['stopped', 'stopped']);
  });

  test('events without meaning change nothing', () => {
    expect(play([{ kind: 'stop' }, ended(1), { kind: 'due' }]).told).toEqual([
      'stopped',
      'stopped',
      'stopped',
    ]);
    const running: VisionState = { name: 'running', failures: 0, sinceMs: 0 };
    expect(
      play([{ kind: 'start' }, { kind: 'due' }, { kind: 'ready', nowMs: 1 }], running).state,
    ).toBe(running);
  });
});
