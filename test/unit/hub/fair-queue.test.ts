import { describe, expect, test } from 'vitest';
import { FairQueue } from '../../../src/hub/store/fair-queue.ts';
import type { WriteCall } from '../../../src/hub/store/requests.ts';

let nextId = 0;
type Call = WriteCall & { readonly id: number };

function batchOf(clientId: string, count: number): Call {
  const items = new Array(count).fill(null);
  const stream = { epoch: 'x', lane: 0, firstSeq: 1 };
  return { id: nextId++, op: 'store', batch: { clientId, stream, receivedMs: 0, items } };
}

function queueOf(...calls: Call[]): FairQueue<Call> {
  const queue = new FairQueue<Call>();
  for (const call of calls) queue.push(call);
  return queue;
}

describe('the queue of writes', () => {
  test('clients take turns, and each one’s calls keep their order', () => {
    const busy = [1, 2, 3, 4].map(() => batchOf('busy', 64));
    const quiet = batchOf('quiet', 1);
    const queue = queueOf(...busy, quiet);
    expect(queue.take(128)).toEqual([busy[0], quiet]);
    expect(queue.take(1000)).toEqual(busy.slice(1));
    expect(queue.isEmpty).toBe(true);
  });

  test('a group holds at most so many messages, but at least one call', () => {
    const [a, b, c] = [batchOf('a', 600), batchOf('b', 400), batchOf('c', 1)];
    const queue = queueOf(a, b, c);
    expect(queue.messages).toBe(1001);
    expect(queue.take(1000)).toEqual([a, b]);
    expect(queue.messages).toBe(1);
    const large = batchOf('a', 2000);
    expect(queueOf(large, batchOf('b', 1)).take(1000)).toEqual([large]);
  });

  test('who was left out of a group is first in the next', () => {
    const calls = ['a', 'b', 'c'].flatMap((client) => [batchOf(client, 1), batchOf(client, 1)]);
    const queue = queueOf(...calls);
    const clients = (group: Call[]) =>
      group.map((call) => (call.op === 'store' ? call.batch.clientId : ''));
    expect(clients(queue.take(2))).toEqual(['a', 'b']);
    expect(clients(queue.take(2))).toEqual(['c', 'a']);
    expect(clients(queue.take(9))).toEqual(['b', 'c']);
  });
});
