import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { HubCounters } from '../hub/counters.ts';
import type { Doorman } from '../hub/door/doorman.ts';
import { ForkRefusals } from '../hub/door/fork-refusals.ts';
import { RefusalBudgets } from '../hub/door/refusal-budgets.ts';
import { enforceTokens } from '../hub/door/revocation.ts';
import { EvidenceDesk } from '../hub/evidence/evidence-desk.ts';
import { LocalEventBus } from '../hub/fan-out/event-bus.ts';
import { FanOut } from '../hub/fan-out/fan-out.ts';
import type { SessionContext } from '../hub/hub-context.ts';
import { IngestLoad } from '../hub/ingest/ingest-load.ts';
import { DEFAULT_HUB_LIMITS } from '../hub/limits.ts';
import { HubSession } from '../hub/session/session.ts';
import { LocalSessionDirectory } from '../hub/session/session-directory.ts';
import { SessionRegistry } from '../hub/session/session-registry.ts';
import { StreamDesk } from '../hub/streams/stream-desk.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { LiveEvents } from './live-events.ts';
import { LiveStore } from './live-store.ts';
import type { LiveTickets } from './live-tickets.ts';
import { type LocalCameras, LocalEdge } from './local-edge.ts';

export interface LiveServerOptions {
  readonly edgeId: string;
  readonly events: LiveEvents;
  readonly tickets: LiveTickets;
  /** Of this box, for requests of viewers. */
  readonly cameras: LocalCameras;
  readonly doorman: Doorman;
  readonly counters: HubCounters;
  readonly clock: Clock;
  readonly log: Logger;
  readonly visitorLog: Logger;
}

const BEAT_MS = 1000;
/** For clients to close. */
const DRAIN_DEADLINE_MS = 500;
/** A box is looked at by few: all pages of a control room. */
const MOST_BY_TOKEN = 64;

/** The box's own `/ws`: it speaks the protocol of the hub with viewers, so that they need not know which it is. */
export class LiveServer {
  readonly #options: LiveServerOptions;
  readonly #context: SessionContext;
  readonly #edge: LocalEdge;
  #nextConnection = 1;
  #beat: TimerHandle;

  constructor(options: LiveServerOptions) {
    const { events, clock, log, counters, tickets, cameras, edgeId } = options;
    this.#options = options;
    const limits = { ...DEFAULT_HUB_LIMITS, sessionsPerToken: MOST_BY_TOKEN };
    const bus = new LocalEventBus();
    const asked = { clock, counters, newId: randomUUID, timeoutMs: limits.streamRequestTimeoutMs };
    const streams = new StreamDesk({ ...asked, log });
    this.#context = {
      ...{ clock, log, counters, limits, bus, streams, visitorLog: options.visitorLog },
      tokens: tickets,
      store: new LiveStore(events),
      fanOut: new FanOut({
        ...{ clock, bus, lastEventId: events.lastEventId },
        read: (request) => events.follow(request),
      }),
      registry: new SessionRegistry(),
      directory: new LocalSessionDirectory(),
      load: new IngestLoad(),
      doorman: options.doorman,
      refusalBudgets: new RefusalBudgets(limits.refusals),
      forkRefusals: new ForkRefusals(),
      // Evidence of a box is asked for over HTTP.
      evidence: new EvidenceDesk({ ...asked, edgeOf: () => 'unknown' }),
    };
    events.listen((stored) => bus.publish(stored));
    this.#edge = new LocalEdge({ edgeId, cameras, streams });
    this.#edge.announce();
    this.#beat = this.#beatLater();
  }

  /** Connections, identified or not. */
  get connections(): number {
    return this.#context.registry.size;
  }

  /** Takes a WebSocket whose address the doorman has admitted. */
  connection(ws: WebSocket, socket: Socket, remoteAddress: string): void {
    const connectionId = `l-${this.#nextConnection++}`;
    this.#options.counters.connections++;
    const peer = { connectionId, remoteAddress, socket, certificateName: null };
    new HubSession(ws, this.#context, peer).start();
  }

  /** Tells clients to come back, and ends what is left. */
  async close(): Promise<void> {
    const { registry } = this.#context;
    const { clock } = this.#options;
    this.#beat.cancel();
    for (const session of registry.connections()) session.drain(0, DRAIN_DEADLINE_MS);
    let deadline: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = clock.setTimeout(resolve, DRAIN_DEADLINE_MS);
    });
    await Promise.race([registry.empty(), late]);
    deadline?.cancel();
    for (const session of registry.connections()) session.terminate();
  }

  #beatLater(): TimerHandle {
    return this.#options.clock.setTimeout(() => {
      const { registry, refusalBudgets, clock } = this.#context;
      enforceTokens(this.#context);
      for (const session of registry.connections()) session.tick(BEAT_MS);
      refusalBudgets.sweep(clock.monotonicMs());
      this.#edge.announce();
      this.#beat = this.#beatLater();
    }, BEAT_MS);
  }
}
