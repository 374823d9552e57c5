import type { Gap } from '../../../src/protocol/batch.ts';
import type { HubRecord, StoredMessage, StoredStream } from './hub-record.ts';
import { type ProducerRecord, streamName } from './producer-log.ts';

/**
 * The oracle: what must hold of every run, whatever was done to it. Each function returns the violations it
 * found, in words; none when all is well. `producers` are the records of the edges by client id.
 */

export type Producers = ReadonlyMap<string, ProducerRecord>;

const MOST_REPORTED = 5;
/** Ids of these begin so: alerts, which must never be lost. */
const LANE_OF_KIND: Readonly<Record<string, number>> = {
  alert: 0,
  face: 1,
  event: 1,
  detection: 2,
  status: 3,
};

function laneOfId(id: string): number {
  return LANE_OF_KIND[id.slice(0, id.indexOf(':'))] ?? -1;
}

/** I1: every obligated alert is stored exactly once, with the body that was enqueued. */
export function everyAlertOnce(hub: HubRecord, producers: Producers): string[] {
  const found = countById(hub.events);
  const violations: string[] = [];
  for (const producer of producers.values())
    for (const id of producer.obligated) {
      if (laneOfId(id) !== 0) continue;
      const events = found.get(id) ?? [];
      if (events.length !== 1) violations.push(`${id} is stored ${events.length} times`);
      else if (events[0]?.hash !== producer.issued.get(id))
        violations.push(`${id} is stored with another body`);
    }
  return told('I1', violations);
}

/** I2: nothing is stored that no producer issued, and nothing twice. */
export function nothingUnexpected(hub: HubRecord, producers: Producers): string[] {
  const violations: string[] = [];
  for (const [id, events] of countById(hub.events)) {
    const [first] = events;
    const issued = producers.get(first?.clientId ?? '')?.issued.get(id);
    if (issued === undefined) violations.push(`${id} was never issued`);
    else if (events.some(({ hash }) => hash !== issued)) violations.push(`${id} has another body`);
    if (events.length > 1) violations.push(`${id} is stored ${events.length} times`);
  }
  for (const event of hub.events)
    if (event.id === null && event.gap === null)
      violations.push(`event ${event.eventId} (${event.type}) holds no producer's message`);
  return told('I2', violations);
}

/**
 * I3: of each stream, messages and gaps cover every number from the first to the acknowledged one, none twice.
 * A number whose message the hub already had under another number (sent again in a new epoch after a failing
 * disk) counts as covered by that.
 */
export function streamsAreWhole(hub: HubRecord, producers: Producers): string[] {
  const messageIds = new Set(hub.events.map(({ messageId }) => messageId));
  const byStream = groupedBy(
    hub.events.filter(({ epoch }) => epoch !== null),
    ({ clientId, epoch, lane }) => `${clientId} ${epoch} ${lane}`,
  );
  const violations: string[] = [];
  const known = new Set<string>();
  for (const stream of hub.streams) {
    const name = `${stream.clientId} ${stream.epoch} ${stream.lane}`;
    known.add(name);
    const sent = producers.get(stream.clientId)?.sent;
    const isElsewhere = (seq: number): boolean => {
      const messageId = sent?.get(`${stream.epoch} ${stream.lane} ${seq}`);
      return messageId !== undefined && messageIds.has(messageId);
    };
    const fault = coverageFault(stream, byStream.get(name) ?? [], isElsewhere);
    if (fault !== null) violations.push(`stream ${name}: ${fault}`);
  }
  for (const name of byStream.keys())
    if (!known.has(name)) violations.push(`stream ${name} has events and no position`);
  return told('I3', violations);
}

function coverageFault(
  { firstSeq, ackedThrough }: StoredStream,
  events: readonly StoredMessage[],
  isElsewhere: (seq: number) => boolean,
): string | null {
  let next = firstSeq;
  for (const { seq, gap } of events.toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0))) {
    const from = seq ?? 0;
    if (from < next) return `${from} is covered twice`;
    for (; next < from; next++) if (!isElsewhere(next)) return `${next} is missing`;
    next = (gap?.to_seq ?? from) + 1;
  }
  for (; next <= ackedThrough; next++) if (!isElsewhere(next)) return `${next} is missing`;
  return next - 1 > ackedThrough ? `${next - 1} is stored, acknowledged is ${ackedThrough}` : null;
}

/** I4: whatever an edge was told to be acknowledged is stored. */
export function acksAreTrue(hub: HubRecord, producers: Producers): string[] {
  const violations: string[] = [];
  for (const [clientId, { acked }] of producers) {
    const streams = hub.streams.filter((stream) => stream.clientId === clientId);
    const through = new Map(
      streams.map(({ epoch, lane, ackedThrough }) => [streamName(epoch, lane), ackedThrough]),
    );
    for (const [stream, seq] of acked)
      if ((through.get(stream) ?? 0) < seq)
        violations.push(
          `${clientId} ${stream}: ${seq} was acknowledged, stored is ${through.get(stream) ?? 'nothing'}`,
        );
  }
  return told('I4', violations);
}

/** I5: the edge's files never took more than they may. */
export function diskWithinBudget(samples: readonly number[], mostBytes: number): string[] {
  const most = samples.reduce((a, b) => Math.max(a, b), 0);
  if (samples.length === 0) return told('I5', ['the disk was never looked at']);
  return told('I5', most > mostBytes ? [`${most} bytes on disk, allowed are ${mostBytes}`] : []);
}

export interface Recovery {
  /** From the end of the fault to an empty backlog; null where it never came. */
  readonly drainedMs: number | null;
  readonly drainedWithinMs: number;
  /** From enqueue to acknowledgement of an alert after that. */
  readonly probeMs: number | null;
  readonly probeWithinMs: number;
}

/** I6: once the fault is over the backlog goes, and a new alert is accepted at once. */
export function hasRecovered(recovery: Recovery): string[] {
  const { drainedMs, drainedWithinMs, probeMs, probeWithinMs } = recovery;
  const violations: string[] = [];
  if (drainedMs === null || drainedMs > drainedWithinMs)
    violations.push(`drained after ${drainedMs} ms, allowed are ${drainedWithinMs}`);
  if (probeMs === null || probeMs > probeWithinMs)
    violations.push(`a new alert took ${probeMs} ms, allowed are ${probeWithinMs}`);
  return told('I6', violations);
}

/** I7: a subscriber that resumes by cursor saw each shown event once, in order and without a hole. */
export function subscriberSawAll(shown: readonly number[], seen: readonly number[]): string[] {
  const violations: string[] = [];
  for (const [index, eventId] of seen.entries()) {
    const before = seen[index - 1];
    if (before !== undefined && eventId <= before)
      violations.push(`${eventId} came after ${before}`);
  }
  const had = new Set(seen);
  const last = seen.at(-1) ?? 0;
  for (const eventId of shown) if (!had.has(eventId)) violations.push(`${eventId} never came`);
  const stored = new Set(shown);
  for (const eventId of seen)
    if (!stored.has(eventId)) violations.push(`${eventId} of ${last} came and is not stored`);
  return told('I7', violations);
}

/** Whatever a lane lost, it declared: messages that never arrived stand against gaps of that lane. */
export function lossIsDeclared(hub: HubRecord, producers: Producers): string[] {
  const arrived = countById(hub.events);
  const violations: string[] = [];
  for (const [clientId, { obligated }] of producers) {
    const missing = [...obligated].filter((id) => !arrived.has(id));
    for (const [lane, ids] of groupedBy(missing, laneOfId)) {
      const gaps = gapsOf(hub, clientId, lane);
      const declared = gaps.reduce((sum, { count }) => sum + count, 0);
      const isBound = gaps.some(({ is_lower_bound }) => is_lower_bound === true);
      if (declared < ids.length && !isBound)
        violations.push(
          `${clientId} lane ${lane}: ${ids.length} lost (${ids[0]} …), ${declared} declared`,
        );
    }
  }
  return told('declared loss', violations);
}

function gapsOf(hub: HubRecord, clientId: string, lane: number): Gap[] {
  return hub.events.flatMap((event) =>
    event.clientId === clientId && event.lane === lane && event.gap !== null ? [event.gap] : [],
  );
}

function countById(events: readonly StoredMessage[]): Map<string, StoredMessage[]> {
  const found = new Map<string, StoredMessage[]>();
  for (const event of events) {
    if (event.id === null || event.gap !== null) continue;
    const same = found.get(event.id);
    if (same === undefined) found.set(event.id, [event]);
    else same.push(event);
  }
  return found;
}

function groupedBy<Entry, Key>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => Key,
): Map<Key, Entry[]> {
  const groups = new Map<Key, Entry[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}

function told(invariant: string, violations: readonly string[]): string[] {
  const more = violations.length - MOST_REPORTED;
  const shown = violations.slice(0, MOST_REPORTED).map((text) => `${invariant}: ${text}`);
  return more > 0 ? [...shown, `${invariant}: and ${more} more`] : shown;
}
