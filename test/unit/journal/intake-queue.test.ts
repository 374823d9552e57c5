import { expect, test } from 'vitest';
import { IntakeQueue } from '../../../src/journal/intake-queue.ts';

test('of an event the newest message waits, at the place of the first', () => {
  const queue = new IntakeQueue();
  queue.add('event', 'a', '1');
  queue.add('event', 'b', '2');
  queue.add('event', 'a', '3');
  expect(queue.batch('event')).toEqual([
    ['a', '3'],
    ['b', '2'],
  ]);
});

test('what became newer while it was written waits on', () => {
  const queue = new IntakeQueue();
  queue.add('event', 'a', '1');
  queue.add('event', 'b', '1');
  const batch = queue.batch('event');
  queue.add('event', 'a', '2');
  queue.written('event', batch);
  expect(queue.batch('event')).toEqual([['a', '2']]);
});

test('a batch ends by length or number, and has one message in any case', () => {
  const queue = new IntakeQueue();
  queue.add('event', 'large', 'x'.repeat(600 * 1024));
  for (let number = 0; number < 700; number++) queue.add('event', `${number}`, '{}');
  const large = queue.batch('event');
  expect(large).toHaveLength(1);
  queue.written('event', large);
  expect(queue.batch('event')).toHaveLength(500);
});

test('too much gives up the oldest events, then the oldest alerts, and counts until declared', () => {
  const queue = new IntakeQueue(10);
  queue.add('alert', 'A', '1234');
  queue.add('event', 'a', '1234');
  queue.add('event', 'b', '1234');
  expect(queue.batch('event')).toEqual([['b', '1234']]);
  queue.add('alert', 'B', '1234');
  queue.add('alert', 'C', '1234');
  expect(queue.batch('alert').map(([id]) => id)).toEqual(['B', 'C']);
  expect(queue.count('event')).toEqual({ waiting: 0, lost: 2 });
  expect(queue.count('alert')).toEqual({ waiting: 2, lost: 1 });
  queue.declared({ alerts: 1, events: 1 });
  expect([queue.count('event').lost, queue.count('alert').lost]).toEqual([1, 0]);
});

test('one that is larger than everything waits alone', () => {
  const queue = new IntakeQueue(10);
  queue.add('event', 'a', '12');
  queue.add('event', 'b', 'x'.repeat(100));
  expect(queue.batch('event').map(([id]) => id)).toEqual(['b']);
  queue.add('event', 'c', '12');
  expect(queue.batch('event').map(([id]) => id)).toEqual(['c']);
});

test('what waits can be changed, and its new length counts', () => {
  const queue = new IntakeQueue(10);
  queue.add('alert', 'A', '12345678');
  queue.rewrite((kind, id, body) => (kind === 'alert' && id === 'A' ? body.slice(0, 2) : body));
  queue.add('event', 'a', '12345678');
  expect(queue.size).toBe(2);
  expect(queue.batch('alert')).toEqual([['A', '12']]);
});
