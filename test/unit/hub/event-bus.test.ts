import { describe, expect, test } from 'vitest';
import {
  type EventBus,
  LocalEventBus,
  type StoredEvents,
} from '../../../src/hub/fan-out/event-bus.ts';

/** What every bus has to do, whatever it is made of. */
const BUSES: readonly [string, () => EventBus][] = [
  ['within one process', () => new LocalEventBus()],
];

const events = (eventId: number): StoredEvents => ({
  batch: { clientId: 'edge', stream: null, receivedMs: 0, items: [] },
  eventIds: [eventId],
});

describe.each(BUSES)('an event bus %s', (_name, create) => {
  test('brings each batch once to every listener, in the order of publishing', () => {
    const bus = create();
    const heard: number[][] = [[], []];
    for (const own of heard) bus.listen(({ eventIds }) => own.push(...eventIds));
    for (const eventId of [1, 2, 3]) bus.publish(events(eventId));
    expect(heard).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });
});
