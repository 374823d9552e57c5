import { beforeEach, describe, expect, test } from 'vitest';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import { clientKey } from '../../../src/hub/session/client-key.ts';
import {
  LocalSessionDirectory,
  type SessionDirectory,
  type SessionEntry,
} from '../../../src/hub/session/session-directory.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import type { ClientType } from '../../../src/protocol/session.ts';

/** What every directory has to do, whatever it is made of. */
const DIRECTORIES: readonly [string, () => SessionDirectory][] = [
  ['of one process', () => new LocalSessionDirectory()],
];

function token(name: string, type: ClientType): HubToken {
  return { name, type, sha256: name.padEnd(64, '0'), scopes: USUAL_SCOPES };
}

const EDGE = token('edge', 'ai_engine');
const PAGE = token('page', 'frontend');

function entry(connectionId: string, clientId: string, by: HubToken = EDGE): SessionEntry {
  const key = clientKey(by.type, clientId, by.name);
  return { connectionId, client: { clientId, clientType: by.type, key }, token: by };
}

describe.each(DIRECTORIES)('a session directory %s', (_name, create) => {
  let directory: SessionDirectory;
  let superseded: string[];

  function enter(session: SessionEntry): SessionEntry {
    directory.register(session, () => superseded.push(session.connectionId));
    return session;
  }

  beforeEach(() => {
    directory = create();
    superseded = [];
  });

  test('the newest session of a client speaks for it, and the older one is told once', () => {
    const { client } = enter(entry('c-1', 'yard'));
    expect(directory.holderOf(client.key)).toBeUndefined();
    directory.takeOver('c-1');
    const newer = enter(entry('c-2', 'yard'));
    expect(directory.holderOf(client.key)?.connectionId).toBe('c-1');
    directory.takeOver('c-2');
    directory.takeOver('c-2');
    expect(superseded).toEqual(['c-1']);
    expect(directory.holderOf(client.key)).toEqual(newer);
    // The socket of the older one closes late.
    directory.remove('c-1');
    expect(directory.holderOf(client.key)).toEqual(newer);
    directory.remove('c-2');
    expect(directory.holderOf(client.key)).toBeUndefined();
    expect(superseded).toEqual(['c-1']);
  });

  test('who is superseded finds the newer one in its place', () => {
    const { client } = entry('c-1', 'yard');
    let holder: string | undefined;
    directory.register(entry('c-1', 'yard'), () => {
      holder = directory.holderOf(client.key)?.connectionId;
    });
    directory.takeOver('c-1');
    enter(entry('c-2', 'yard'));
    directory.takeOver('c-2');
    expect(holder).toBe('c-2');
  });

  test('clients of other ids, types and tokens leave one another alone', () => {
    enter(entry('c-1', 'yard'));
    enter(entry('c-2', 'gate'));
    enter(entry('c-3', 'yard', PAGE));
    enter(entry('c-4', 'yard', token('other', 'frontend')));
    for (const id of ['c-1', 'c-2', 'c-3', 'c-4']) directory.takeOver(id);
    expect(superseded).toEqual([]);
    expect(directory.countByType()).toMatchObject({ ai_engine: 2, frontend: 2, mobile_app: 0 });
  });

  test('sessions that join are there beside one another, and speak for nobody', () => {
    const { client } = enter(entry('c-1', 'page', PAGE));
    enter(entry('c-2', 'page', PAGE));
    directory.join('c-1');
    directory.join('c-2');
    expect(superseded).toEqual([]);
    expect(directory.holderOf(client.key)).toBeUndefined();
    expect(directory.countByType().frontend).toBe(2);
  });

  test('a session counts for its token from the door on, and is in service later', () => {
    enter(entry('c-1', 'yard'));
    expect(directory.countOfToken(EDGE)).toBe(1);
    expect(directory.countByType().ai_engine).toBe(0);
    directory.takeOver('c-1');
    expect(directory.countByType().ai_engine).toBe(1);
    enter(entry('c-2', 'yard'));
    directory.takeOver('c-2');
    expect(directory.countOfToken(EDGE)).toBe(1);
  });

  test('the sessions of a token are found for revoking it, also after the list was read anew', () => {
    enter(entry('c-1', 'yard'));
    const reread = { ...EDGE, expiresMs: 1 };
    enter(entry('c-2', 'gate', reread));
    enter(entry('c-3', 'page', PAGE));
    expect([...directory.idsOfToken(EDGE)].sort()).toEqual(['c-1', 'c-2']);
    expect(directory.countOfToken(reread)).toBe(2);
    expect(directory.tokensInUse()).toEqual([reread, PAGE]);
    // One secret may be given to clients of two types.
    expect(directory.countOfToken({ ...EDGE, type: 'frontend' })).toBe(0);
  });

  test('nothing is left of sessions that are over', () => {
    for (const id of ['c-1', 'c-2']) enter(entry(id, id));
    directory.takeOver('c-1');
    for (const id of ['c-1', 'c-2', 'c-2', 'never']) directory.remove(id);
    directory.takeOver('c-1');
    directory.join('c-2');
    expect(directory.countByType().ai_engine).toBe(0);
    expect(directory.countOfToken(EDGE)).toBe(0);
    expect(directory.idsOfToken(EDGE)).toEqual([]);
    expect(directory.tokensInUse()).toEqual([]);
  });
});
