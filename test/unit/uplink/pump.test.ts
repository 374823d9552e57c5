import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LANES, type Lane } from '../../../src/protocol/lanes.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { LaneCursor } from '../../../src/uplink/sending/lane-cursor.ts';
import { Pump } from '../../../src/uplink/sending/pump.ts';
import { Window } from '../../../src/uplink/sending/window.ts';

const FULL = { credit_messages: 512, credit_bytes: 1024 * 1024 };

/** A pump over four lanes with so many messages each, and a hub that acknowledges on demand. */
class Scene {
  readonly window: Window;
  readonly lanes: LaneCursor[];
  readonly pump: Pump;
  nowMs = 0;
  #batch = 0;

  constructor(depths: readonly number[], credit = FULL) {
    this.window = new Window(credit);
    this.lanes = LANES.map((lane) => {
      const depth = depths[lane] ?? 0;
      const stream = { epoch: 'e', lane, isCurrent: true, firstSeq: 1, isSameBoot: true };
      const cursor = new LaneCursor(
        lane,
        [{ ...stream, nextSeq: depth + 1, sentThrough: 0, ackedThrough: 0 }],
        false,
      );
      cursor.noteWaiting(0);
      return cursor;
    });
    this.pump = new Pump(this.lanes, this.window);
  }

  /** Sends one batch as decided, of bodies of 100 bytes; null where nothing is to be sent. */
  send(): { lane: Lane; messages: number } | null {
    const decision = this.pump.decide(this.nowMs);
    if (decision.do !== 'send') return null;
    const cursor = this.lanes[decision.lane]!;
    const messages = Math.min(cursor.available, decision.maxItems);
    const afterSeq = cursor.head!.sentThrough;
    const through = afterSeq + messages;
    const { lane } = decision;
    const requestId = `b-${this.#batch++}`;
    const bytes = messages * 100;
    const sent = { requestId, epoch: 'e', lane, afterSeq, through, messages, bytes, only: null };
    this.window.onSent(sent, this.nowMs);
    cursor.onSent(through, this.nowMs);
    this.pump.onSent(lane, messages);
    return { lane, messages };
  }

  ackOldest(): void {
    const [batch] = this.window.inFlight;
    if (batch === undefined) return;
    const { epoch, lane, through } = batch;
    const ack = { epoch, lane, acked_through: through };
    this.lanes[lane]!.onAck(ack, this.nowMs);
    this.window.onAck(ack, this.nowMs);
  }

  ready(): this {
    this.nowMs = 1000;
    return this;
  }
}

describe('pump', () => {
  test('alerts go at once and first', () => {
    const scene = new Scene([1, 500, 500, 500]);
    expect(scene.send()).toEqual({ lane: 0, messages: 1 });
  });

  test('other messages wait 20 ms for company, unless a batch is full', () => {
    const scene = new Scene([0, 1, 0, 0]);
    expect(scene.pump.decide(0)).toEqual({ do: 'wait', ms: 20 });
    expect(scene.pump.decide(15)).toEqual({ do: 'wait', ms: 5 });
    expect(scene.pump.decide(20)).toMatchObject({ do: 'send', lane: 1 });
    expect(new Scene([0, 64, 0, 0]).pump.decide(0)).toMatchObject({ do: 'send', lane: 1 });
  });

  test('in a hurry nothing waits', () => {
    const scene = new Scene([0, 0, 1, 0]);
    scene.pump.hurry();
    expect(scene.pump.decide(0)).toMatchObject({ do: 'send', lane: 2 });
  });

  test('has nothing to do without messages, and does not ask for a timer', () => {
    expect(new Scene([0, 0, 0, 0]).pump.decide(0)).toEqual({ do: 'idle' });
  });

  test('starts with one batch and doubles with every acknowledgement up to eight', () => {
    const scene = new Scene([10_000, 0, 0, 0], {
      credit_messages: 9999,
      credit_bytes: 9e9,
    }).ready();
    const burst = () => {
      let batches = 0;
      while (scene.send() !== null) batches++;
      return batches;
    };
    // Alerts may have one batch more at the very start, which is their reserve.
    expect(burst()).toBe(2);
    scene.ackOldest();
    expect(scene.window.inFlight.length + burst()).toBe(2);
    scene.ackOldest();
    burst();
    expect(scene.window.inFlight.length).toBe(4);
    scene.ackOldest();
    burst();
    expect(scene.window.inFlight.length).toBe(8);
    scene.ackOldest();
    burst();
    expect(scene.window.inFlight.length).toBe(8);
  });

  test('an alert finds room while the window is full of detections', () => {
    const scene = new Scene([0, 0, 10_000, 0]).ready();
    for (let round = 0; round < 10; round++) {
      while (scene.send() !== null);
      scene.ackOldest();
    }
    while (scene.send() !== null);
    scene.lanes[0]!.onCommitted(2, scene.nowMs);
    expect(scene.send()).toEqual({ lane: 0, messages: 1 });
  });

  test('under pressure lanes 1 to 3 share 8 : 4 : 1', () => {
    const scene = new Scene([0, 9000, 9000, 9000]).ready();
    const sent = [0, 0, 0, 0];
    for (let round = 0; round < 130; round++) {
      for (let batch = scene.send(); batch !== null; batch = scene.send())
        sent[batch.lane]! += batch.messages;
      scene.ackOldest();
    }
    expect(sent[1]! / sent[3]!).toBeCloseTo(8, 0);
    expect(sent[2]! / sent[3]!).toBeCloseTo(4, 0);
  });

  test('a lane alone has everything', () => {
    const scene = new Scene([0, 0, 0, 500]).ready();
    for (let round = 0; round < 100; round++) {
      while (scene.send() !== null);
      scene.ackOldest();
    }
    expect(scene.lanes[3]!.pending).toBe(0);
  });

  test('a small credit is kept, and no credit stops all but loses nothing', () => {
    const scene = new Scene([0, 100, 100, 100], { credit_messages: 10, credit_bytes: 9e9 }).ready();
    while (scene.send() !== null);
    expect(scene.window.inFlight.reduce((sum, { messages }) => sum + messages, 0)).toBe(5);
    const none = new Scene([5, 5, 5, 5], { credit_messages: 0, credit_bytes: 0 }).ready();
    expect(none.send()).toBeNull();
  });

  test('whatever is queued, all of it is sent in order within the window', () => {
    const depth = fc.integer({ min: 0, max: 700 });
    const property = fc.property(
      fc.tuple(depth, depth, depth, depth),
      fc.integer({ min: 2, max: 600 }),
      (depths, messages) => {
        const scene = new Scene(depths, { credit_messages: messages, credit_bytes: 1e6 }).ready();
        for (let round = 0; round < 5000; round++) {
          if (scene.lanes.every(({ pending }) => pending === 0)) return;
          while (scene.send() !== null);
          const inFlight = scene.window.inFlight.reduce((sum, batch) => sum + batch.messages, 0);
          expect(inFlight).toBeLessThanOrEqual(messages);
          expect(scene.window.inFlight.length).toBeLessThanOrEqual(LIMITS.windowBatches);
          scene.ackOldest();
        }
        throw new Error('not everything was sent');
      },
    );
    fc.assert(property, { numRuns: 100 });
  });
});
