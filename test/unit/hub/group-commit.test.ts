import { describe, expect, test } from 'vitest';
import { commitDelay } from '../../../src/hub/store/group-commit.ts';

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
});
