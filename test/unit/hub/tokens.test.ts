import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkToken, type HubToken, mayClaim } from '../../../src/hub/door/tokens.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';

const hash = (token: string) => createHash('sha256').update(token).digest('hex');
const NOW = 1_767_225_590_000;
const TOKENS: HubToken[] = [
  { name: 'gate', type: 'ai_engine', sha256: hash('edge-secret'), scopes: USUAL_SCOPES },
  { name: 'desk', type: 'frontend', sha256: hash('viewer-secret'), scopes: USUAL_SCOPES },
];

describe('token check', () => {
  test('admits a known token of the right type, by its name', () => {
    expect(checkToken(TOKENS, 'edge-secret', 'ai_engine', NOW)).toEqual({
      isAdmitted: true,
      token: TOKENS[0],
    });
  });

  test('refuses an unknown token', () => {
    expect(checkToken(TOKENS, 'edge-secret ', 'ai_engine', NOW).isAdmitted).toBe(false);
    expect(checkToken(TOKENS, '', 'frontend', NOW).isAdmitted).toBe(false);
  });

  test('refuses the hash in place of the token', () => {
    expect(checkToken(TOKENS, hash('edge-secret'), 'ai_engine', NOW).isAdmitted).toBe(false);
  });

  test('refuses a token of another type, and says so without repeating it', () => {
    const verdict = checkToken(TOKENS, 'viewer-secret', 'ai_engine', NOW);
    expect(verdict).toEqual({
      isAdmitted: false,
      reason: 'the token is not for clients of type ai_engine',
    });
  });

  test('an empty list admits nobody', () => {
    expect(checkToken([], 'edge-secret', 'ai_engine', NOW).isAdmitted).toBe(false);
    expect(checkToken([], '', 'ai_engine', NOW).isAdmitted).toBe(false);
  });

  test('a broken hash in the list matches nothing', () => {
    const broken: HubToken[] = [{ name: 'x', type: 'frontend', sha256: '', scopes: USUAL_SCOPES }];
    expect(checkToken(broken, '', 'frontend', NOW).isAdmitted).toBe(false);
  });
});

describe('the token that a client id belongs to', () => {
  const [gate] = TOKENS as [HubToken];
  const other: HubToken = {
    name: 'other',
    type: 'ai_engine',
    sha256: hash('other-secret'),
    scopes: USUAL_SCOPES,
  };
  const tokens = [gate, other];

  test('is the one that it first came with, under whatever name', () => {
    expect(mayClaim({ name: 'gate', sha256: gate.sha256 }, gate, tokens)).toBe(true);
    expect(mayClaim({ name: 'gate', sha256: gate.sha256 }, other, tokens)).toBe(false);
    expect(mayClaim({ name: 'former name', sha256: gate.sha256 }, gate, tokens)).toBe(true);
    expect(mayClaim({ name: 'other', sha256: gate.sha256 }, other, tokens)).toBe(false);
  });

  test('is its successor of the same name when it was replaced', () => {
    const owner = { name: 'gate', sha256: hash('former secret') };
    expect(mayClaim(owner, gate, tokens)).toBe(true);
    expect(mayClaim(owner, other, tokens)).toBe(false);
  });

  test('is known by name alone in records of an older version', () => {
    expect(mayClaim({ name: 'gate', sha256: null }, gate, tokens)).toBe(true);
    expect(mayClaim({ name: 'gate', sha256: null }, other, tokens)).toBe(false);
  });

  test('can be any other when it is gone', () => {
    expect(mayClaim({ name: 'gone', sha256: hash('gone') }, other, tokens)).toBe(true);
    expect(mayClaim({ name: 'gone', sha256: null }, other, tokens)).toBe(true);
  });
});
