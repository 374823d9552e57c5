import { describe, expect, test } from 'vitest';
import { forkVerdict, tokenHash, tokenText } from '../../../src/hub/store/fork.ts';

const [before, last, newer] = [4, 5, 9].map((number) => tokenText(number, `secret-${number}`));
const memory = { current: tokenHash(last!), number: 5, previous: null };

function verdict(presented: string | null, listed: string[], known: string[], previous?: string) {
  return forkVerdict({
    presented,
    memory: previous === undefined ? memory : { ...memory, previous: tokenHash(previous) },
    listedEpochs: listed,
    knownEpochs: new Set(known),
  });
}

describe('who was here last', () => {
  test('shows the last session token, whatever it lists', () => {
    expect(verdict(last!, ['e1'], ['e1'])).toBe('continued');
    expect(verdict(last!, ['e2'], ['e1'])).toBe('continued');
  });

  test('may show the token before until it has used the last one', () => {
    expect(verdict(before!, ['e1'], ['e1'], before!)).toBe('continued');
    expect(verdict(before!, ['e1'], ['e1'])).toBe('fork');
  });

  test('a client that never got its first token is not turned away', () => {
    const first = { current: tokenHash(last!), number: 1, previous: tokenHash(null) };
    const knownEpochs = new Set(['e1']);
    const question = { presented: null, memory: first, listedEpochs: ['e1'], knownEpochs };
    expect(forkVerdict(question)).toBe('continued');
  });

  test('a client that is new here, or was never given a token, continues', () => {
    const question = { presented: null, listedEpochs: ['e1'], knownEpochs: new Set(['e1']) };
    expect(forkVerdict({ ...question, memory: null })).toBe('continued');
    const legacy = { current: Buffer.alloc(0), number: 0, previous: null };
    expect(forkVerdict({ ...question, memory: legacy })).toBe('continued');
  });
});

describe('without the right token', () => {
  test('a client that lists only what is known here is a fork', () => {
    expect(verdict(null, ['e1'], ['e1'])).toBe('fork');
    expect(verdict('s-forged', ['e1', 'e2'], ['e1', 'e2'])).toBe('fork');
    expect(verdict(tokenText(5, 'guess'), ['e1'], ['e1'])).toBe('fork');
  });

  test('one with an epoch of its own is taken, with its older ones', () => {
    expect(verdict(before!, ['e1', 'new'], ['e1'])).toBe('renewed');
    expect(verdict(null, ['new'], ['e1'])).toBe('renewed');
    expect(verdict(null, [], ['e1'])).toBe('renewed');
  });

  test('one with a token newer than any known is taken: the hub was restored from a backup', () => {
    expect(verdict(newer!, ['e1'], ['e1'])).toBe('regressed');
  });
});
