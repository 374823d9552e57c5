import { describe, expect, test } from 'vitest';
import { everythingWithin } from '../../../src/hub/fan-out/event-filter.ts';
import type { EventFrame, LiveEvent } from '../../../src/hub/fan-out/live-event.ts';
import {
  PACING,
  pace,
  Subscriber,
  type SubscriberSource,
} from '../../../src/hub/fan-out/subscriber.ts';
import type { EventPage } from '../../../src/hub/store/requests.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import type { Clock } from '../../../src/system/clock.ts';

const ALL = everythingWithin(USUAL_SCOPES);

/** A table of events 1..newest, a reader whose socket can be stopped, and a clock that is turned by hand. */
class Scene {
  newest = 0;
  bufferedBytes = 0;
  readonly seen: number[] = [];
  readonly failures: number[] = [];
  #nowMs = 0;
  readonly #timers: { atMs: number; run: () => void }[] = [];

  readonly clock: Clock = {
    monotonicMs: () => this.#nowMs,
    wallMs: () => this.#nowMs,
    setTimeout: (run, delayMs) => {
      const timer = { atMs: this.#nowMs + delayMs, run };
      this.#timers.push(timer);
      return { cancel: () => this.#timers.splice(this.#timers.indexOf(timer), 1) };
    },
  };

  readonly source: SubscriberSource = {
    clock: this.clock,
    publishedThrough: () => this.newest,
    read: ({ afterEventId }) => {
      const through = Math.min(afterEventId + 3, this.newest);
      const frames: string[] = [];
      for (let id = afterEventId + 1; id <= through; id++) frames.push(String(id));
      const page: EventPage = { frames, throughEventId: through, lastEventId: this.newest };
      return Promise.resolve(page);
    },
  };

  readonly sink = (() => {
    const scene = this;
    return {
      get bufferedBytes() {
        return scene.bufferedBytes;
      },
      show: (event: EventFrame) => {
        this.seen.push(Number(event.text()));
      },
      fail: (code: number) => {
        this.failures.push(code);
      },
    };
  })();

  publish(subscriber: Subscriber): void {
    this.newest++;
    const eventId = this.newest;
    const event: LiveEvent = {
      eventId,
      type: 'x',
      cameras: [],
      severity: null,
      text: () => String(eventId),
      wire: () => Buffer.from(String(eventId)),
      within: () => event,
    };
    subscriber.offer(event);
  }

  /** Lets promises run, then time, until nothing is left to do within `ms`. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const due = this.#timers.findIndex(({ atMs }) => atMs <= endMs);
      const [timer] = due < 0 ? [] : this.#timers.splice(due, 1);
      if (timer === undefined) break;
      this.#nowMs = timer.atMs;
      timer.run();
    }
    this.#nowMs = endMs;
  }
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('subscriber', () => {
  test('is live from the newest event on', () => {
    const scene = new Scene();
    scene.newest = 10;
    const subscriber = new Subscriber(scene.sink, ALL, scene.source);
    scene.publish(subscriber);
    expect(scene.seen).toEqual([11]);
  });

  test('resumes after an id, and goes over to live without a hole or a repetition', async () => {
    const scene = new Scene();
    scene.newest = 10;
    const subscriber = new Subscriber(scene.sink, ALL, scene.source);
    subscriber.resumeAfter(2);
    scene.publish(subscriber);
    await scene.advance(0);
    scene.publish(subscriber);
    expect(scene.seen).toEqual(upTo(12, 3));
  });

  test('an id from the future starts at the newest event', async () => {
    const scene = new Scene();
    scene.newest = 10;
    const subscriber = new Subscriber(scene.sink, ALL, scene.source);
    subscriber.resumeAfter(500);
    await scene.advance(0);
    scene.publish(subscriber);
    expect(scene.seen).toEqual([11]);
  });

  test('a reader that stops reading gets nothing more pushed, and everything later', async () => {
    const scene = new Scene();
    const subscriber = new Subscriber(scene.sink, ALL, scene.source);
    scene.publish(subscriber);
    scene.bufferedBytes = PACING.liveBytes + 1;
    for (let count = 0; count < 20; count++) scene.publish(subscriber);
    await scene.advance(1000);
    expect(scene.seen).toEqual([1]);
    scene.bufferedBytes = 0;
    await scene.advance(1000);
    expect(scene.seen).toEqual(upTo(21));
    scene.publish(subscriber);
    expect(scene.seen.at(-1)).toBe(22);
  });

  test('one that never reads again is closed after 30 s', async () => {
    const scene = new Scene();
    const subscriber = new Subscriber(scene.sink, ALL, scene.source);
    scene.bufferedBytes = PACING.liveBytes + 1;
    scene.publish(subscriber);
    await scene.advance(29_000);
    expect(scene.failures).toEqual([]);
    await scene.advance(2000);
    expect(scene.failures).toEqual([1013]);
  });

  test('a stopped one takes nothing', async () => {
    const scene = new Scene();
    scene.newest = 5;
    const subscriber = new Subscriber(scene.sink, ALL, scene.source);
    subscriber.resumeAfter(0);
    subscriber.stop();
    scene.publish(subscriber);
    await scene.advance(100);
    expect(scene.seen).toEqual([]);
  });

  test('pace', () => {
    expect(pace(0, 60_000)).toBe('send');
    expect(pace(PACING.resumeBytes + 1, 0)).toBe('wait');
    expect(pace(PACING.maxBytes + 1, 0)).toBe('give_up');
    expect(pace(PACING.resumeBytes + 1, 30_001)).toBe('give_up');
  });
});
