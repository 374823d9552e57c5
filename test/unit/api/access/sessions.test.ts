import { expect, test } from 'vitest';
import { endedCookie, secretOf, sessionCookie } from '../../../../src/api/access/cookie.ts';
import { Sessions } from '../../../../src/api/access/sessions.ts';
import { scopesOf } from '../../../../src/api/access/visitor.ts';
import type { HubToken } from '../../../../src/hub/door/tokens.ts';

const HOUR_MS = 3600_000;
const token = (name: string): HubToken => ({
  ...{ name, type: 'frontend', sha256: name.padEnd(64, '0'), scopes: scopesOf('viewer', null) },
});

function begin(): { sessions: Sessions; pass: (ms: number) => void; changes: () => number } {
  let nowMs = 0;
  let secrets = 0;
  let changed = 0;
  const sessions = new Sessions({
    clock: { monotonicMs: () => nowMs },
    newSecret: () => `secret-${++secrets}`,
    onChange: () => changed++,
  });
  return { sessions, changes: () => changed, pass: (ms) => (nowMs += ms) };
}

test('a session is found by its secret until it ends', () => {
  const { sessions, changes } = begin();
  const secret = sessions.begin(token('anna'));
  const session = sessions.find(secret);
  expect(session?.token.name).toBe('anna');
  expect(sessions.find('secret-2')).toBeNull();
  expect(sessions.isOpen(session?.id ?? '')).toBe(true);
  sessions.end(session?.id ?? '');
  expect([sessions.find(secret), sessions.isOpen(session?.id ?? ''), changes()]).toEqual([
    null,
    false,
    2,
  ]);
});

test('it ends when nobody was there for twelve hours, and after thirty days whoever was', () => {
  const { sessions, pass } = begin();
  const idle = sessions.begin(token('anna'));
  const busy = sessions.begin(token('bert'));
  for (let hours = 0; hours < 30 * 24; hours += 10) {
    expect(sessions.find(busy)).not.toBeNull();
    pass(10 * HOUR_MS);
  }
  expect([sessions.find(idle), sessions.find(busy)]).toEqual([null, null]);
});

test('of too many the one that was used longest ago ends', () => {
  const { sessions } = begin();
  const [first, second] = [sessions.begin(token('anna')), sessions.begin(token('anna'))];
  sessions.find(first);
  for (let more = 0; more < 999; more++) sessions.begin(token('bert'));
  expect(sessions.find(first)).not.toBeNull();
  expect(sessions.find(second)).toBeNull();
});

test('sessions of a token that is gone end with it', () => {
  const { sessions } = begin();
  const [anna, bert] = [sessions.begin(token('anna')), sessions.begin(token('bert'))];
  sessions.keepOnly(({ name }) => name === 'anna');
  expect([sessions.find(anna) !== null, sessions.find(bert)]).toEqual([true, null]);
});

test('what is written down opens nothing, and lets another run go on', () => {
  const before = begin();
  const [anna, bert] = [before.sessions.begin(token('anna')), before.sessions.begin(token('bert'))];
  before.pass(11 * HOUR_MS);
  const saved = before.sessions.saved();
  expect(JSON.stringify(saved)).not.toContain('secret-');
  const after = begin();
  after.sessions.restore(saved, [token('anna')]);
  expect(after.sessions.find(anna)?.token.name).toBe('anna');
  expect(after.sessions.find(bert)).toBeNull();
  const late = begin();
  late.sessions.restore(saved, [token('anna')]);
  late.pass(2 * HOUR_MS);
  expect(late.sessions.find(anna)).toBeNull();
});

test('cookies: over TLS under a name that binds them to the host', () => {
  const secret = 's'.repeat(43);
  expect(sessionCookie(secret, false)).toBe(
    `apex_session=${secret}; Path=/; HttpOnly; SameSite=Strict`,
  );
  expect(sessionCookie(secret, true)).toBe(
    `__Host-apex_session=${secret}; Path=/; HttpOnly; SameSite=Strict; Secure`,
  );
  expect(endedCookie(false)).toContain('Max-Age=0');
  expect(secretOf(`a=b; apex_session=${secret}; c`, false)).toBe(secret);
  expect(secretOf(`apex_session=${secret}`, true)).toBeNull();
  for (const wrong of [undefined, '', 'apex_session=short', `apex_session=${secret}x`, ';=;'])
    expect(secretOf(wrong, false)).toBeNull();
});
