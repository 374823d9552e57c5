import { expect, test } from 'vitest';
import { ReadQueue } from '../../../src/hub/store/read-queue.ts';

const filled = (askers: string) => {
  const queue = new ReadQueue<string>({ perAsker: 3, inAll: 5 });
  for (const [index, asker] of [...askers].entries()) queue.push(asker, `${asker}${index}`);
  return queue;
};

const drained = (queue: ReadQueue<string>) => {
  const calls: string[] = [];
  for (let call = queue.take(); call !== undefined; call = queue.take()) calls.push(call);
  return calls;
};

test('askers take turns, each in the order in which it asked', () => {
  expect(drained(filled('aaabc'))).toEqual(['a0', 'b3', 'c4', 'a1', 'a2']);
});

test('who came for the first time waits for one call of each other asker at most', () => {
  const queue = filled('aaab');
  expect(queue.take()).toBe('a0');
  queue.push('c', 'c0');
  expect(drained(queue)).toEqual(['b3', 'a1', 'c0', 'a2']);
});

test('one asker has a bound, and all of them have', () => {
  const queue = filled('aaabc');
  expect(queue.obstacle('a')).toBe('asker');
  expect(queue.obstacle('d')).toBe('all');
  queue.take();
  expect(queue.obstacle('a')).toBeNull();
});

test('what was removed is not taken, and makes room', () => {
  const queue = filled('aaabc');
  queue.remove('b', 'b3');
  queue.remove('b', 'b3');
  expect(queue.obstacle('d')).toBeNull();
  expect(drained(queue)).toEqual(['a0', 'c4', 'a1', 'a2']);
});
