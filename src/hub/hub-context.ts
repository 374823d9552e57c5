import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { HubCounters } from './counters.ts';
import type { FanOut } from './fan-out.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { HubStore } from './store/hub-store.ts';
import type { HubToken } from './tokens.ts';

/** What every session of one hub shares. */
export interface HubContext {
  readonly tokens: readonly HubToken[];
  readonly store: HubStore;
  readonly fanOut: FanOut;
  readonly registry: SessionRegistry;
  readonly counters: HubCounters;
  readonly clock: Clock;
  readonly log: Logger;
}
