import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import { Doorman, MAX_HOLD_MS } from '../../../src/hub/door/doorman.ts';
import { Stranger } from '../../../src/hub/door/stranger.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { ManualClock } from './manual-clock.ts';

const ADDRESS = '192.0.2.7';

let clock: ManualClock;
let doorman: Doorman;
let heard: string[];

beforeEach(() => {
  clock = new ManualClock();
  doorman = new Doorman(DEFAULT_HUB_LIMITS);
  heard = [];
});

function stranger(): Stranger {
  const note = (what: string) => () => heard.push(`${what} at ${clock.monotonicMs()}`);
  const peer = {
    connectionId: 'c-1',
    remoteAddress: ADDRESS,
    certificateName: null,
    // Of a socket no more is used than that it is a stream.
    socket: new PassThrough() as unknown as Socket,
  };
  doorman.admit(ADDRESS);
  const limits = {
    onTimeout: note('timeout'),
    onTooLarge: note('too large'),
    onFlood: note('flood'),
  };
  const made = new Stranger({ clock, doorman }, peer, limits);
  made.begin();
  return made;
}

function guessTokens(): void {
  for (let guess = 0; guess < 100; guess++) doorman.holdRefusal(ADDRESS, clock.monotonicMs());
}

test('who says nothing is cut off when its time is over', () => {
  stranger();
  clock.advance(60_000);
  expect(heard).toEqual([`timeout at ${LIMITS.identifyTimeoutMs}`]);
});

test('a refusal that is held back comes instead of the timeout, soon after it at the latest', () => {
  guessTokens();
  const late = stranger();
  clock.advance(LIMITS.identifyTimeoutMs - 1);
  // The allowance came back a little meanwhile.
  guessTokens();
  const answered = late.answerRefusal(() => heard.push(`refusal at ${clock.monotonicMs()}`));
  expect([answered, late.isHeldBack]).toEqual([false, true]);
  clock.advance(60_000);
  expect(heard).toEqual([`refusal at ${LIMITS.identifyTimeoutMs - 1 + MAX_HOLD_MS}`]);
});

test('a refusal at once leaves no timer behind', () => {
  const first = stranger();
  expect(first.answerRefusal(() => heard.push('refusal'))).toBe(true);
  clock.advance(60_000);
  expect(heard).toEqual(['refusal']);
});

test('nothing is held back for who is gone', () => {
  guessTokens();
  const gone = stranger();
  gone.answerRefusal(() => heard.push('refusal'));
  gone.leave();
  gone.leave();
  clock.advance(60_000);
  expect(heard).toEqual([]);
  expect(doorman.waiting).toBe(0);
});
