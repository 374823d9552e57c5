import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HubCounters } from '../../../src/hub/counters.ts';
import { Doorman } from '../../../src/hub/door/doorman.ts';
import { TokenDirectory } from '../../../src/hub/door/token-directory.ts';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import { Authentication } from '../../../src/hub/http/authentication.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { ManualClock } from './manual-clock.ts';

const TOKEN: HubToken = {
  name: 'phone',
  type: 'mobile_app',
  sha256: createHash('sha256').update('s3cret').digest('hex'),
  scopes: USUAL_SCOPES,
};

function scene() {
  const clock = new ManualClock();
  const counters = new HubCounters();
  const doorman = new Doorman(DEFAULT_HUB_LIMITS);
  const door = {
    tokens: new TokenDirectory([TOKEN]),
    doorman,
    clock,
    counters,
    visitorLog: silentLogger,
  };
  return { clock, counters, authentication: new Authentication(door) };
}

describe('a bearer token', () => {
  test.each(['Bearer s3cret', 'bearer s3cret', 'Bearer   s3cret '])('%j is taken', async (text) => {
    const { authentication, counters } = scene();
    await expect(authentication.authenticate(text, '::1')).resolves.toBe(TOKEN);
    expect(counters.authFailures).toBe(0);
  });

  test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic czNjcmV0', 's3cret', 'Bearer s3cret x'])(
    '%j is none, and no guess either',
    async (text) => {
      const { authentication, counters } = scene();
      await expect(authentication.authenticate(text, '::1')).rejects.toMatchObject({
        code: 'auth_failed',
        headers: { 'WWW-Authenticate': 'Bearer' },
      });
      expect(counters.authFailures).toBe(0);
    },
  );
});

test('an address that guesses waits for its answers, others and good tokens do not', async () => {
  const { clock, counters, authentication } = scene();
  const guess = (address: string) => authentication.authenticate('Bearer wrong', address);
  for (let index = 0; index < 20; index++) await expect(guess('::1')).rejects.toThrow();
  let isAnswered = false;
  const held = guess('::1').catch((error: unknown) => {
    isAnswered = true;
    throw error;
  });
  await expect(guess('2001:db8::2')).rejects.toMatchObject({ code: 'auth_failed' });
  await expect(authentication.authenticate('Bearer s3cret', '::1')).resolves.toBe(TOKEN);
  expect(isAnswered).toBe(false);
  clock.advance(4000);
  await expect(held).rejects.toMatchObject({ code: 'auth_failed' });
  expect(counters.authFailures).toBe(22);
});

test('no more than so many answers are held back at a time', async () => {
  const { clock, authentication } = scene();
  const outcomes: Promise<unknown>[] = [];
  for (let index = 0; index < 20 + 256; index++)
    outcomes.push(authentication.authenticate('Bearer wrong', '::1').catch((error) => error.code));
  await expect(authentication.authenticate('Bearer wrong', '::1')).rejects.toMatchObject({
    code: 'too_many_refusals',
    headers: { 'Retry-After': expect.stringMatching(/^[1-4]$/) },
  });
  clock.advance(4000);
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['auth_failed']));
});

test('beside a client certificate only the token of its name is taken', async () => {
  const { authentication } = scene();
  const shown = (name: string) => authentication.authenticate('Bearer s3cret', '::1', name);
  await expect(shown(TOKEN.name)).resolves.toBe(TOKEN);
  await expect(shown('other')).rejects.toMatchObject({ code: 'auth_failed' });
});
