import { describe, expect, test } from 'vitest';
import {
  type SessionEvent,
  type SessionState,
  sessionStep,
} from '../../../src/hub/session/session-state.ts';

function run(...events: SessionEvent[]) {
  let state: SessionState = { name: 'connected' };
  const effects = events.map((event) => {
    const step = sessionStep(state, event);
    state = step.state;
    return step.effect;
  });
  return { state, effects, last: effects.at(-1) };
}

const identify: SessionEvent = { name: 'introduced' };
const identified: SessionEvent[] = [identify, { name: 'streams_read' }];

describe('session', () => {
  test('is welcomed after its token was good and its streams were read', () => {
    const { state, effects } = run(...identified, { name: 'frame' });
    expect(state).toEqual({ name: 'identified' });
    expect(effects.map((effect) => effect.do)).toEqual(['admit', 'welcome', 'handle']);
  });

  test('a bad token closes with 4401', () => {
    const { state, last } = run({ name: 'fail', code: 4401 });
    expect(state.name).toBe('closed');
    expect(last).toEqual({ do: 'close', code: 4401 });
  });

  test('the first frame is read as such, and frames before the welcome are kept', () => {
    expect(run({ name: 'frame' }).last).toEqual({ do: 'read_first' });
    expect(run(identify, { name: 'frame' }).last).toEqual({ do: 'hold' });
  });

  test('a second identification changes nothing', () => {
    const { state, last } = run(...identified, identify);
    expect(state.name).toBe('identified');
    expect(last).toEqual({ do: 'nothing' });
  });

  test('the identify timeout counts only until the token was shown', () => {
    expect(run({ name: 'identify_timeout' }).last).toEqual({ do: 'close', code: 4408 });
    expect(run(identify, { name: 'identify_timeout' }).state.name).toBe('identifying');
    expect(run(...identified, { name: 'identify_timeout' }).state.name).toBe('identified');
  });

  test('superseded: no more frames, then commits, then 4409', () => {
    const finishing = run(...identified, { name: 'finish', code: 4409 }, { name: 'frame' });
    expect(finishing.effects.slice(2)).toEqual([{ do: 'await_commits' }, { do: 'nothing' }]);
    const done = sessionStep(finishing.state, { name: 'commits_done' });
    expect(done.effect).toEqual({ do: 'close', code: 4409 });
  });

  test('the first reason to finish stands', () => {
    const { last } = run(
      ...identified,
      { name: 'finish', code: 4409 },
      { name: 'finish', code: 1012 },
      { name: 'commits_done' },
    );
    expect(last).toEqual({ do: 'close', code: 4409 });
  });

  test('a connection that is not identified is drained at once', () => {
    expect(run({ name: 'finish', code: 1012 }).last).toEqual({ do: 'close', code: 1012 });
  });

  test('streams read after the session began to finish welcome nobody', () => {
    const { last } = run(identify, { name: 'finish', code: 4409 }, { name: 'streams_read' });
    expect(last).toEqual({ do: 'nothing' });
  });

  test('commits during normal work close nothing', () => {
    expect(run(...identified, { name: 'commits_done' }).state.name).toBe('identified');
  });

  test('nothing happens after the end', () => {
    const { effects } = run({ name: 'socket_closed' }, identify, { name: 'fail', code: 1013 });
    expect(effects.map((effect) => effect.do)).toEqual(['nothing', 'nothing', 'nothing']);
  });
});
