import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { HubCounters } from './counters.ts';
import type { Doorman } from './doorman.ts';
import type { FanOut } from './fan-out.ts';
import type { ForkRefusals } from './fork-refusals.ts';
import type { IngestLoad } from './ingest-load.ts';
import type { HubLimits } from './limits.ts';
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
  readonly limits: HubLimits;
  readonly load: IngestLoad;
  readonly doorman: Doorman;
  readonly forkRefusals: ForkRefusals;
  readonly clock: Clock;
  readonly log: Logger;
}
