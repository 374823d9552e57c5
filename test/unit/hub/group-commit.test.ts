import { describe, expect, test } from 'vitest';
import { commitDelay, groupSize } from '../../../src/hub/store/group-commit.ts';
import type { WriteCall } from '../../../src/hub/store/requests.ts';

function batchOf(count: number): WriteCall {
  const items = new Array(count).fill(null);
  return {
    op: 'store',
    batch: { clientId: 'e', epoch: 'x', lane: 0, firstSeq: 1, receivedMs: 0, items },
  };
}

describe('group commit', () => {
  test('an idle store commits at once', () => {
    expect(commitDelay(Number.POSITIVE_INFINITY, 1)).toBe(0);
    expect(commitDelay(5, 1)).toBe(0);
  });

  test('a busy one waits for the rest of the window', () => {
    expect(commitDelay(2, 64)).toBe(3);
  });

  test('a full group does not wait', () => {
    expect(commitDelay(0, 1000)).toBe(0);
  });

  test('a group holds at most a thousand messages, but at least one call', () => {
    expect(groupSize([batchOf(600), batchOf(400), batchOf(1)])).toBe(2);
    expect(groupSize([batchOf(2000), batchOf(1)])).toBe(1);
    expect(groupSize([batchOf(1), batchOf(1)])).toBe(2);
  });
});
