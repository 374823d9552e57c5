import { beforeEach, describe, expect, test } from 'vitest';
import { creditOf, easeOf } from '../../../src/hub/ingest/credit.ts';
import { FlowControl, type FlowNews } from '../../../src/hub/ingest/flow-control.ts';
import { IngestLoad } from '../../../src/hub/ingest/ingest-load.ts';
import { TokenBucket } from '../../../src/hub/ingest/token-bucket.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';
import { ManualClock } from './manual-clock.ts';

const MIB = 1024 * 1024;
const calm = { uncommittedBytes: 0, latencyMs: 0, clients: 1 };

describe('credit', () => {
  test('is full on an easy day', () => {
    expect(creditOf(calm, 10_000)).toEqual({ credit_messages: 512, credit_bytes: MIB });
  });

  test('of all clients together fits the ingest budget', () => {
    const { credit_bytes: bytes } = creditOf({ ...calm, clients: 300 }, 10_000);
    expect(bytes * 300).toBeLessThanOrEqual(64 * MIB);
    expect(creditOf({ ...calm, clients: 100_000 }, 10_000).credit_bytes).toBe(64 * 1024);
  });

  test('shrinks with what is uncommitted and with slow commits, down to nothing', () => {
    expect(easeOf({ ...calm, uncommittedBytes: 32 * MIB })).toBe(1);
    expect(easeOf({ ...calm, uncommittedBytes: 48 * MIB })).toBe(0.5);
    expect(easeOf({ ...calm, uncommittedBytes: 65 * MIB })).toBe(0);
    expect(easeOf({ ...calm, uncommittedBytes: 1, latencyMs: 1125 })).toBe(0.5);
    expect(creditOf({ ...calm, uncommittedBytes: 64 * MIB }, 1).credit_messages).toBe(0);
  });

  test('a hub with nothing to commit is not slow', () => {
    expect(easeOf({ ...calm, latencyMs: 60_000 })).toBe(1);
  });

  test('is no more than the rate leaves', () => {
    expect(creditOf(calm, 100.7).credit_messages).toBe(100);
    expect(creditOf(calm, -3)).toEqual({ credit_messages: 0, credit_bytes: 0 });
  });
});

describe('token bucket', () => {
  test('lets a burst pass, then the rate; debts are paid by waiting', () => {
    const bucket = new TokenBucket({ perS: 100, burst: 50 }, 0);
    bucket.take(80, 0);
    expect(bucket.level(0)).toBe(-30);
    expect(bucket.waitFor(10, 0)).toBe(400);
    expect(bucket.level(400)).toBe(10);
    expect(bucket.level(60_000)).toBe(50);
    expect(bucket.waitFor(1000, 60_000)).toBe(0);
  });
});

describe('flow control of one client', () => {
  let clock: ManualClock;
  let load: IngestLoad;
  let uncommitted: { messages: number; bytes: number };
  let told: FlowNews[];
  let isReading: boolean;
  let isAbuse: boolean;
  let flow: FlowControl;

  beforeEach(() => {
    clock = new ManualClock();
    load = new IngestLoad();
    uncommitted = { messages: 0, bytes: 0 };
    told = [];
    isReading = true;
    isAbuse = false;
    flow = new FlowControl({
      load,
      limits: { ...DEFAULT_HUB_LIMITS, messagesPerS: 1000, burstMessages: 2000 },
      clock,
      uncommitted: () => uncommitted,
      tell: (news) => told.push(news),
      setReading: (now) => {
        isReading = now;
      },
      onAbuse: () => {
        isAbuse = true;
      },
    });
  });

  test('a burst within the allowance changes nothing', () => {
    flow.received(1400);
    expect(told).toEqual([]);
    expect(flow.announce().credit_messages).toBe(512);
    expect(flow.isThrottled).toBe(false);
  });

  test('above its rate the client loses its credit, and is told when it is back', () => {
    flow.received(2000);
    expect(told).toMatchObject([
      { credit_messages: 0, reason: 'rate_limit', resume_after_ms: 100 },
    ]);
    expect(isReading).toBe(true);
    clock.advance(100);
    expect(told[1]).toMatchObject({ credit_messages: 100, reason: 'resumed' });
    expect(flow.isThrottled).toBe(false);
  });

  test('twice the credit without having any stops reading until the debt is paid', () => {
    flow.received(2000);
    flow.received(1025);
    expect(isReading).toBe(false);
    clock.advance(100);
    expect(isReading).toBe(false);
    clock.advance(1100);
    expect(isReading).toBe(true);
    expect(isAbuse).toBe(false);
  });

  describe('who does so again and again', () => {
    const overrun = (messages: number): void => {
      flow.received(messages);
      while (!isReading && !isAbuse) clock.advance(100);
    };

    test('for ten seconds is an abuser', () => {
      overrun(3200);
      for (let round = 0; round < 20 && !isAbuse; round++) overrun(1200);
      expect(isAbuse).toBe(true);
      expect(clock.monotonicMs()).toBeGreaterThan(10_000);
    });

    test('with a break in between is none', () => {
      for (let round = 0; round < 20; round++) {
        overrun(3200);
        clock.advance(5000);
      }
      expect(isAbuse).toBe(false);
    });
  });

  test('a busy hub gives no credit, and says when it is better', () => {
    load.received(65 * MIB);
    expect(flow.announce().credit_messages).toBe(0);
    clock.advance(250);
    expect(told).toEqual([]);
    load.settled(65 * MIB);
    clock.advance(100);
    expect(told).toMatchObject([{ credit_messages: 512, reason: 'resumed' }]);
  });

  test('too much uncommitted stops reading, commits go on with it', () => {
    uncommitted = { messages: 1025, bytes: 1 };
    flow.received(64);
    expect(isReading).toBe(false);
    uncommitted = { messages: 900, bytes: 1 };
    flow.settled();
    expect(isReading).toBe(true);
  });

  test('a client that is gone leaves no timer and no share behind', () => {
    expect(load.clients).toBe(1);
    flow.received(5000);
    flow.stop();
    expect(load.clients).toBe(0);
    clock.advance(60_000);
    expect(told).toHaveLength(1);
  });
});
