import { beforeEach, describe, expect, test } from 'vitest';
import { EnhancedClient } from '../../../src/react/client.ts';
import { completeConfig } from '../../../src/react/config.ts';
import { FakeSurroundings } from './fake-hub.ts';

type GetToken = () => string | Promise<string>;

let around: FakeSurroundings;
beforeEach(() => {
  around = new FakeSurroundings();
});

function client(getToken: GetToken): EnhancedClient {
  const config = completeConfig({ serverUrl: 'http://hub.example', getToken });
  const made = new EnhancedClient(config, around.environment);
  made.connect();
  return made;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const lastToken = () => around.last.taken('client_identify').at(-1)?.data.auth.token;

describe.each<[string, GetToken, string]>([
  [
    'throws',
    () => {
      throw new Error('logged out');
    },
    'getToken failed: logged out',
  ],
  ['rejects', () => Promise.reject(new Error('expired')), 'getToken failed: expired'],
  ['rejects with no error', () => Promise.reject('gone'), 'getToken failed: gone'],
  ['gives nothing', () => Promise.resolve(undefined as unknown as string), 'gave no token'],
  ['gives no text', () => null as unknown as string, 'gave no token'],
  ['gives an empty text', () => '', 'gave no token'],
])('a getToken that %s', (_, getToken, message) => {
  test('is an error with its code and cause, and is asked again', async () => {
    const asked: number[] = [];
    const made = client(() => {
      asked.push(around.nowMs);
      return getToken();
    });
    for (let tries = 0; tries < 8; tries++) {
      around.last.greet();
      await settled();
      expect(made.snapshot).toMatchObject({
        status: 'reconnecting',
        error: { code: 'token_unavailable', retryable: true },
      });
      expect(made.snapshot.error?.message).toContain(message);
      around.pass(5_000);
    }
    expect(asked).toHaveLength(8);
    expect(around.reported).toEqual([]);
  });
});

test('waits between failing tokens grow to a cap', () => {
  let asked = 0;
  client(() => {
    asked++;
    throw new Error('no');
  });
  const waits: number[] = [];
  for (let tries = 0; tries < 8; tries++) {
    around.last.greet();
    const before = around.sockets.length;
    let waited = 0;
    while (around.sockets.length === before) {
      around.pass(50);
      waited += 50;
    }
    waits.push(waited);
  }
  expect(asked).toBe(8);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits[0]).toBeLessThan(500);
  expect(waits.at(-1)).toBe(2_500);
});

test('a stale token is refused by its code, and a fresh one is asked for at the next attempt', () => {
  const tokens = ['stale', 'fresh'];
  const made = client(() => tokens.shift()!);
  around.last.greet();
  expect(lastToken()).toBe('stale');
  around.last.say({
    type: 'error',
    data: { code: 'auth_failed', message: 'no', retryable: false, retry_after_ms: 60_000 },
  });
  around.last.cut(4401);
  expect(made.snapshot).toMatchObject({ status: 'error', error: { code: 'auth_failed' } });
  around.pass(59_000);
  expect(around.sockets).toHaveLength(1);
  around.pass(16_000);
  around.last.admit();
  expect(lastToken()).toBe('fresh');
  expect(made.snapshot).toMatchObject({ status: 'connected', error: null });
});

test('a token that comes after its connection was lost is not sent', async () => {
  let give: (token: string) => void = () => undefined;
  client(() => new Promise<string>((resolve) => (give = resolve)));
  around.last.greet();
  const lost = around.last;
  lost.cut();
  give('late');
  await settled();
  expect(lost.taken('client_identify')).toEqual([]);
});
