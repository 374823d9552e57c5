import type { Store } from '../store/store.ts';

/** What the uplink needs of the store. */
export type UplinkStore = Pick<
  Store,
  | 'position'
  | 'streams'
  | 'readBatch'
  | 'acked'
  | 'deadLetter'
  | 'poison'
  | 'peer'
  | 'savePeer'
  | 'renewEpoch'
  | 'onCommitted'
  | 'enqueue'
  | 'queue'
>;
