import { describe, expect, test } from 'vitest';
import { parseClientFrame } from '../../../src/protocol/codec.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { isDeeperThan, isTextDeeperThan } from '../../../src/protocol/nesting.ts';

const VALUES: readonly (readonly [text: string, depth: number])[] = [
  ['7', 0],
  ['"[[["', 0],
  ['{}', 1],
  ['[[],[],[]]', 2],
  ['{"a":{"b":[1,{}]}}', 4],
  [String.raw`["\"[[", "\\", [1]]`, 2],
  [String.raw`{"\\\"{[":[]}`, 2],
];

describe.each(VALUES)('%s', (text, depth) => {
  test(`is ${depth} deep, as a text and as a value`, () => {
    const value = JSON.parse(text) as unknown;
    expect([isTextDeeperThan(depth, text), isDeeperThan(depth, value)]).toEqual([false, false]);
    if (depth === 0) return;
    expect([isTextDeeperThan(depth - 1, text), isDeeperThan(depth - 1, value)]).toEqual([
      true,
      true,
    ]);
  });
});

test('a text that is no JSON is scanned to its end', () => {
  for (const text of ['', ']]]', '"', String.raw`"\"`, String.raw`"\\`, '[[', '{"a":[', '"[[[['])
    expect(isTextDeeperThan(2, text)).toBe(false);
  expect(isTextDeeperThan(2, '[[[')).toBe(true);
});

test('a long frame of brackets is refused before it is parsed, and named', () => {
  const text = `{"type":"heartbeat","timestamp":1,"request_id":"r","data":${'['.repeat(LIMITS.maxFrameBytes - 100)}`;
  expect(parseClientFrame(text)).toMatchObject({
    fault: 'invalid',
    message: `deeper than ${LIMITS.maxDepth}`,
    type: 'heartbeat',
    requestId: 'r',
  });
});
