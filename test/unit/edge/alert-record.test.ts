import { expect, test } from 'vitest';
import { AlertRecord } from '../../../src/edge/alert-record.ts';
import { StoreWrites } from '../../../src/edge/store-writes.ts';
import type { AlertTriggered } from '../../../src/protocol/payloads.ts';
import { LogLines } from '../../support/log-lines.ts';
import { ManualClock } from '../hub/manual-clock.ts';

const ALERT: AlertTriggered = {
  ...{ type: 'storage_low', severity: 'high', timestamp: 1_767_225_580_000, data: {} },
};

function scene(isRefusing: () => boolean) {
  const clock = new ManualClock();
  const stored: AlertTriggered[] = [];
  const kept: AlertTriggered[] = [];
  const journal = {
    alert: (alert: AlertTriggered) => void kept.push(alert),
    hasUnstoredAlerts: false,
  };
  const store = {
    enqueue: (items: readonly { data: unknown }[]) => {
      if (isRefusing()) return Promise.reject(new Error('no room'));
      stored.push(...items.map(({ data }) => data as AlertTriggered));
      return Promise.resolve();
    },
  };
  const live = { publish: () => undefined };
  const writes = new StoreWrites(new LogLines());
  const record = new AlertRecord({ store, journal, live, random: () => 0.5, clock, writes });
  return { stored, kept, journal, record, settled: () => writes.settled() };
}

test('an alert without an id gets one, the same in store and journal', async () => {
  const { stored, kept, record, settled } = scene(() => false);
  record.tell(ALERT);
  record.tell(ALERT);
  record.tell({ ...ALERT, alert_id: 'its own' });
  await settled();
  expect(stored).toEqual(kept);
  const ids = stored.map(({ alert_id: id }) => id);
  expect(new Set(ids).size).toBe(3);
  expect(ids[2]).toBe('its own');
});

test('what the store refuses is offered again under its id, and to the journal once', async () => {
  let isFull = true;
  const { stored, kept, record, settled } = scene(() => isFull);
  record.tell(ALERT);
  await settled();
  expect(record.hasUnstored).toBe(true);
  isFull = false;
  record.offerAgain();
  await settled();
  expect(stored).toEqual(kept);
  expect(kept).toHaveLength(1);
  expect(record.hasUnstored).toBe(false);
});

test('an alert that the journal has not written yet counts as not stored', () => {
  const { journal, record } = scene(() => false);
  expect(record.hasUnstored).toBe(false);
  journal.hasUnstoredAlerts = true;
  expect(record.hasUnstored).toBe(true);
});
