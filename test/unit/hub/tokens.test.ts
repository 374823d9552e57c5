import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkToken, type HubToken } from '../../../src/hub/tokens.ts';

const hash = (token: string) => createHash('sha256').update(token).digest('hex');
const TOKENS: HubToken[] = [
  { name: 'gate', type: 'ai_engine', sha256: hash('edge-secret') },
  { name: 'desk', type: 'frontend', sha256: hash('viewer-secret') },
];

describe('token check', () => {
  test('admits a known token of the right type, by its name', () => {
    expect(checkToken(TOKENS, 'edge-secret', 'ai_engine')).toEqual({
      isAdmitted: true,
      tokenName: 'gate',
    });
  });

  test('refuses an unknown token', () => {
    expect(checkToken(TOKENS, 'edge-secret ', 'ai_engine').isAdmitted).toBe(false);
    expect(checkToken(TOKENS, '', 'frontend').isAdmitted).toBe(false);
  });

  test('refuses the hash in place of the token', () => {
    expect(checkToken(TOKENS, hash('edge-secret'), 'ai_engine').isAdmitted).toBe(false);
  });

  test('refuses a token of another type, and says so without repeating it', () => {
    const verdict = checkToken(TOKENS, 'viewer-secret', 'ai_engine');
    expect(verdict).toEqual({
      isAdmitted: false,
      reason: 'the token is not for clients of type ai_engine',
    });
  });

  test('an empty list admits nobody', () => {
    expect(checkToken([], 'edge-secret', 'ai_engine').isAdmitted).toBe(false);
    expect(checkToken([], '', 'ai_engine').isAdmitted).toBe(false);
  });

  test('a broken hash in the list matches nothing', () => {
    const broken: HubToken[] = [{ name: 'x', type: 'frontend', sha256: '' }];
    expect(checkToken(broken, '', 'frontend').isAdmitted).toBe(false);
  });
});
