import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { HubCounters } from './counters.ts';
import type { Doorman } from './door/doorman.ts';
import type { ForkRefusals } from './door/fork-refusals.ts';
import type { RefusalBudgets } from './door/refusal-budgets.ts';
import type { TokenDirectory } from './door/token-directory.ts';
import type { EvidenceDesk } from './evidence/evidence-desk.ts';
import type { EventBus } from './fan-out/event-bus.ts';
import type { FanOut } from './fan-out/fan-out.ts';
import type { IngestLoad } from './ingest/ingest-load.ts';
import type { HubLimits } from './limits.ts';
import type { SessionDirectory } from './session/session-directory.ts';
import type { SessionRegistry } from './session/session-registry.ts';
import type { EventHistory, EventStore, SessionStore } from './store/event-store.ts';
import type { StreamDesk } from './streams/stream-desk.ts';

/** Who may come in, as sessions ask for it. */
export type AdmittedTokens = Pick<TokenDirectory, 'all' | 'check' | 'faultOf' | 'noteUse'>;

/** What sessions share that one server takes, a hub or a box. */
export interface SessionContext {
  readonly tokens: AdmittedTokens;
  readonly store: SessionStore;
  readonly bus: EventBus;
  readonly fanOut: FanOut;
  readonly registry: SessionRegistry;
  readonly directory: SessionDirectory;
  readonly counters: HubCounters;
  readonly limits: HubLimits;
  readonly load: IngestLoad;
  readonly doorman: Doorman;
  readonly refusalBudgets: RefusalBudgets;
  readonly forkRefusals: ForkRefusals;
  readonly streams: StreamDesk;
  readonly evidence: EvidenceDesk;
  readonly clock: Clock;
  readonly log: Logger;
  /** For what visitors bring about. */
  readonly visitorLog: Logger;
}

/** What every session of one hub shares. */
export interface HubContext extends SessionContext {
  readonly tokens: TokenDirectory;
  readonly store: EventStore;
  readonly history: EventHistory;
}
