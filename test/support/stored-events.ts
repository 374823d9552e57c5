import { randomUUID } from 'node:crypto';
import type { HubDatabase } from '../../src/hub/store/hub-database.ts';
import type { StoreBatch, StoredItem } from '../../src/hub/store/requests.ts';

/** An event for the hub's store; anything of it can be changed. */
export function storedItem(seq: number, change: Partial<StoredItem> = {}): StoredItem {
  return {
    seq,
    toSeq: seq,
    messageId: randomUUID(),
    type: 'alert_triggered',
    cameraId: 'gate',
    schemaVersion: 1,
    deviceMs: 1,
    correctedMs: null,
    clockSuspect: false,
    replayed: false,
    status: 0,
    body: '{}',
    ...change,
  };
}

/** A batch in an epoch of its own. */
export function storedBatch(
  clientId: string,
  changes: readonly Partial<StoredItem>[],
  receivedMs = Date.now(),
): StoreBatch {
  const items = changes.map((change, index) => storedItem(index + 1, change));
  return { clientId, stream: { epoch: randomUUID(), lane: 0, firstSeq: 1 }, receivedMs, items };
}

export function storeIn(database: HubDatabase, batch: StoreBatch): void {
  database.writeGroup([{ op: 'store', batch }]);
}
