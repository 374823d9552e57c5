import { describe, expect, test } from 'vitest';
import { type Epoch, streamsOf } from '../../../src/store/outbox/epochs.ts';

const older: Epoch = {
  id: 1,
  epoch: 'a',
  isSameBoot: false,
  firstSeq: [1, 1, 1, 1],
  nextSeq: [5, 1, 9, 1],
};
const middle: Epoch = {
  id: 2,
  epoch: 'b',
  isSameBoot: true,
  firstSeq: [5, 1, 9, 1],
  nextSeq: [8, 1, 9, 1],
};
const current: Epoch = {
  id: 3,
  epoch: 'c',
  isSameBoot: true,
  firstSeq: [8, 1, 9, 1],
  nextSeq: null,
};
const nextSeq = [10, 1, 9, 1];

describe('streamsOf', () => {
  test('older epochs are listed where something is left, the current one with all lanes', () => {
    const { streams, isTruncated } = streamsOf(
      [older, middle, current],
      { nextSeq, ackedSeq: [4, 0, 3, 0], hasRetained: () => false },
      10,
    );
    const shown = streams.map((stream) => [
      stream.lane,
      stream.epoch,
      stream.firstSeq,
      stream.nextSeq,
    ]);
    expect(shown).toEqual([
      [0, 'b', 5, 8],
      [0, 'c', 8, 10],
      [1, 'c', 1, 1],
      [2, 'a', 1, 9],
      [2, 'c', 9, 9],
      [3, 'c', 1, 1],
    ]);
    expect(isTruncated).toBe(false);
  });

  test('beyond the limit the oldest epochs are told first', () => {
    const position = { nextSeq, ackedSeq: [0, 0, 0, 0], hasRetained: () => false };
    const { streams, isTruncated } = streamsOf([older, middle, current], position, 1);
    expect(streams.filter(({ isCurrent }) => !isCurrent)).toMatchObject([{ epoch: 'a', lane: 0 }]);
    expect(isTruncated).toBe(true);
  });
});
