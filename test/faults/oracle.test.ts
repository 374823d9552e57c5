import { expect, test } from 'vitest';
import type { HubRecord, StoredMessage } from './support/hub-record.ts';
import {
  acksAreTrue,
  diskWithinBudget,
  everyAlertOnce,
  hasRecovered,
  lossIsDeclared,
  nothingUnexpected,
  type Producers,
  streamsAreWhole,
  subscriberSawAll,
} from './support/invariants.ts';
import { parseProducerLog } from './support/producer-log.ts';

const LOG = `
issued alert:1-0-0; h0
obligated alert:1-0-0;
issued alert:1-0-1; h1
obligated alert:1-0-1;
issued alert:1-0-2; h2
issued detection:1-0-0; h3
obligated detection:1-0-0;
sent E 0 1 m0
sent E 0 2 m1
acked E 0 2
sent E 2 1 m3
acked E 2 1
`;

function stored(seq: number, more: Partial<StoredMessage> = {}): StoredMessage {
  return {
    eventId: seq,
    clientId: 'edge-1',
    epoch: 'E',
    lane: 0,
    seq,
    messageId: `m${seq - 1}`,
    type: 'alert_triggered',
    status: 0,
    body: '',
    id: `alert:1-0-${seq - 1};`,
    hash: `h${seq - 1}`,
    gap: null,
    ...more,
  };
}

function gap(from: number, to: number, more: Partial<StoredMessage> = {}): StoredMessage {
  const lost = { from_seq: from, to_seq: to, count: to - from + 1, reason: 'disk_budget' };
  const shape = { type: 'gap', status: 3, id: null, hash: '', messageId: null, gap: lost };
  return stored(from, { ...shape, ...more });
}

const detection = stored(1, {
  eventId: 3,
  lane: 2,
  id: 'detection:1-0-0;',
  hash: 'h3',
  messageId: 'm3',
});

function hubWith(
  events: StoredMessage[],
  streams = [
    { lane: 0, ackedThrough: 2 },
    { lane: 2, ackedThrough: 1 },
  ],
): HubRecord {
  const stream = { clientId: 'edge-1', epoch: 'E', firstSeq: 1 };
  return { events, streams: streams.map((entry) => ({ ...stream, ...entry })) };
}

const producers: Producers = new Map([['edge-1', parseProducerLog(LOG)]]);
const sound = hubWith([stored(1), stored(2), detection]);

function judge(hub: HubRecord): string[] {
  return [everyAlertOnce, nothingUnexpected, streamsAreWhole, acksAreTrue, lossIsDeclared].flatMap(
    (check) => check(hub, producers),
  );
}

test('a sound run has nothing against it', () => {
  expect(judge(sound)).toEqual([]);
  // Issued and written, with the kill before the promise: may be there.
  const more = hubWith(
    [stored(1), stored(2), stored(3), detection],
    [
      { lane: 0, ackedThrough: 3 },
      { lane: 2, ackedThrough: 1 },
    ],
  );
  expect(judge(more)).toEqual([]);
  // A lost detection that is declared.
  expect(judge(hubWith([stored(1), stored(2), gap(1, 1, { lane: 2 })]))).toEqual([]);
});

test.each([
  ['I1', 'an alert lost', hubWith([stored(1), gap(2, 2), detection])],
  ['I1', 'an alert twice', hubWith([stored(1), stored(2), stored(2, { seq: 3 }), detection])],
  ['I1', 'an alert with another body', hubWith([stored(1, { hash: 'x' }), stored(2), detection])],
  ['I2', 'a message of nobody', hubWith([stored(1), stored(2), stored(3, { id: 'alert:9-9-9;' })])],
  ['I2', 'a message without a mark', hubWith([stored(1), stored(2), stored(3, { id: null })])],
  ['I2', 'a detection twice', hubWith([stored(1), stored(2), detection, { ...detection, seq: 2 }])],
  ['I3', 'a hole', hubWith([stored(1), stored(3, { id: 'alert:1-0-1;', hash: 'h1' }), detection])],
  ['I3', 'a hole at the end', hubWith([stored(1), detection])],
  ['I3', 'a gap over a message', hubWith([stored(1), stored(2), gap(1, 2), detection])],
  ['I3', 'a message behind the mark', hubWith([stored(1), stored(2), stored(3), detection])],
  ['I3', 'no position', hubWith([stored(1), stored(2), detection], [{ lane: 0, ackedThrough: 2 }])],
  [
    'I4',
    'an acknowledgement of nothing',
    hubWith(
      [stored(1), detection],
      [
        { lane: 0, ackedThrough: 1 },
        { lane: 2, ackedThrough: 1 },
      ],
    ),
  ],
  ['declared loss', 'a detection lost in silence', hubWith([stored(1), stored(2)])],
])('%s: %s is found', (invariant, _, hub) => {
  expect(judge(hub).some((text) => text.startsWith(invariant))).toBe(true);
});

test('a number whose message is stored under another one is covered', () => {
  const moved = stored(2, { epoch: 'F' });
  const hub = hubWith([stored(1), moved, detection]);
  const streams = [...hub.streams, { ...hub.streams[0]!, epoch: 'F', firstSeq: 2 }];
  expect(streamsAreWhole({ ...hub, streams }, producers)).toEqual([]);
});

test('I5: a file over its budget, and a disk that nobody looked at, are found', () => {
  expect(diskWithinBudget([1, 5, 3], 5)).toEqual([]);
  expect(diskWithinBudget([1, 6, 3], 5)).toHaveLength(1);
  expect(diskWithinBudget([], 5)).toHaveLength(1);
});

test('I6: a backlog that stays and an alert that is not accepted are found', () => {
  const good = { drainedMs: 5, drainedWithinMs: 10, probeMs: 5, probeWithinMs: 10 };
  expect(hasRecovered(good)).toEqual([]);
  expect(hasRecovered({ ...good, drainedMs: 11 })).toHaveLength(1);
  expect(hasRecovered({ ...good, drainedMs: null })).toHaveLength(1);
  expect(hasRecovered({ ...good, probeMs: 11 })).toHaveLength(1);
  expect(hasRecovered({ ...good, probeMs: null })).toHaveLength(1);
});

test('I7: events that come twice, late, never or from nowhere are found', () => {
  expect(subscriberSawAll([1, 2, 4], [1, 2, 4])).toEqual([]);
  expect(subscriberSawAll([1, 2, 4], [1, 2, 2, 4])).not.toEqual([]);
  expect(subscriberSawAll([1, 2, 4], [1, 4, 2])).not.toEqual([]);
  expect(subscriberSawAll([1, 2, 4], [1, 4])).not.toEqual([]);
  expect(subscriberSawAll([1, 2], [1, 2, 3])).not.toEqual([]);
});
