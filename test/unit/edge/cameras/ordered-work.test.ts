import { describe, expect, test } from 'vitest';
import { OrderedWork } from '../../../../src/edge/cameras/ordered-work.ts';

/** A promise, and how to fulfil it. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('OrderedWork', () => {
  test('on one thing keeps its order, on another does not wait', async () => {
    const work = new OrderedWork();
    const done: string[] = [];
    const { open, opened } = gate();
    const first = work.run('a', async () => {
      await opened;
      done.push('a1');
    });
    const second = work.run('a', async () => done.push('a2'));
    await work.run('b', async () => done.push('b1'));
    open();
    await Promise.all([first, second]);
    expect(done).toEqual(['b1', 'a1', 'a2']);
  });

  test('what is to be done afterwards does not hold up the answer, but whatever comes next', async () => {
    const work = new OrderedWork();
    const done: string[] = [];
    const { open, opened } = gate();
    const failed = work.run('a', async (afterwards) => {
      afterwards(async () => {
        await opened;
        done.push('undone');
      });
      throw new Error('why');
    });
    const next = work.run('a', async () => done.push('next'));
    await expect(failed).rejects.toThrow('why');
    expect(done).toEqual([]);
    const ended = work.ended();
    open();
    await next;
    await ended;
    expect(done).toEqual(['undone', 'next']);
  });
});
