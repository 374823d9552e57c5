import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock, TimerHandle } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { HubCounters } from './counters.ts';
import { Doorman } from './door/doorman.ts';
import { ForkRefusals } from './door/fork-refusals.ts';
import { certificateOf, checkPlaintext, type ListenerTls } from './door/listener-tls.ts';
import { reconnectAdvice } from './door/reconnect-advice.ts';
import { RefusalBudgets } from './door/refusal-budgets.ts';
import { enforceTokens } from './door/revocation.ts';
import { TokenDirectory } from './door/token-directory.ts';
import { TokenWatch } from './door/token-watch.ts';
import type { HubToken } from './door/tokens.ts';
import { visitorLog } from './door/visitor-log.ts';
import { EvidenceDesk } from './evidence/evidence-desk.ts';
import { LocalEventBus } from './fan-out/event-bus.ts';
import { FanOut } from './fan-out/fan-out.ts';
import { type HttpOptions, HubHttp } from './http/hub-http.ts';
import type { HubContext } from './hub-context.ts';
import { type HubStats, hubStats } from './hub-stats.ts';
import { IngestLoad } from './ingest/ingest-load.ts';
import { DEFAULT_HUB_LIMITS, type HubLimits } from './limits.ts';
import { HubListener } from './listener.ts';
import { HubSession } from './session/session.ts';
import { LocalSessionDirectory } from './session/session-directory.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { HubHistory } from './store/hub-history.ts';
import { HubStore } from './store/hub-store.ts';
import type { RetentionRules } from './store/retention.ts';
import { StreamDesk } from './streams/stream-desk.ts';

export interface HubOptions {
  host: string;
  /** 0 for any free port. */
  port: number;
  dataDir: string;
  /** Who may connect, beside those in the hub's own list; nobody when both are empty. */
  tokens: readonly HubToken[];
  log: Logger;
  clock: Clock;
  /** Uniform in [0, 1); spreads reconnections. */
  random: () => number;
  limits?: HubLimits;
  /** Plain HTTP without. */
  tls?: ListenerTls | undefined;
  /** Without TLS the hub listens on this machine only, or where this says that others may read along. */
  isPlaintextAllowed?: boolean;
  /** Origins of pages that may connect, beside those of the hub itself. */
  allowedOrigins?: readonly string[];
  retention?: RetentionRules;
  http?: HttpOptions;
}

const BEAT_MS = 1000;
/** For clients to take their last acknowledgements and close. */
const DRAIN_DEADLINE_MS = 3000;

/**
 * The upstream server: takes messages of edges exactly once in effect, and passes them on to subscribers.
 *
 * A message is acknowledged after it is on disk, and broadcast after that.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #listener: HubListener;
  readonly #http: HubHttp;
  readonly #context: HubContext;
  readonly #tokenWatch: TokenWatch;
  readonly #startedMs: number;
  #nextConnection = 1;
  #beat: TimerHandle | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(
    options: HubOptions,
    {
      store,
      tokens,
      tokenWatch,
    }: Pick<HubContext, 'store' | 'tokens'> & { tokenWatch: TokenWatch },
  ) {
    const { clock, log, limits = DEFAULT_HUB_LIMITS } = options;
    this.#options = options;
    this.#tokenWatch = tokenWatch;
    this.#startedMs = clock.monotonicMs();
    const counters = new HubCounters();
    const bus = new LocalEventBus();
    const history = new HubHistory(options);
    const streams = new StreamDesk({
      ...{ clock, log, counters, newId: randomUUID, timeoutMs: limits.streamRequestTimeoutMs },
    });
    this.#context = {
      tokens,
      store,
      history,
      clock,
      log,
      visitorLog: visitorLog(log, clock),
      bus,
      fanOut: new FanOut({
        clock,
        read: (request) => history.follow(request),
        lastEventId: store.openedAtEventId,
        bus,
      }),
      registry: new SessionRegistry(),
      directory: new LocalSessionDirectory(),
      counters,
      limits,
      load: new IngestLoad(),
      doorman: new Doorman(limits),
      refusalBudgets: new RefusalBudgets(limits.refusals),
      forkRefusals: new ForkRefusals(),
      streams,
      evidence: new EvidenceDesk({
        edgeOf: (cameraId) => streams.edgeOf(cameraId),
        ...{ clock, counters, newId: randomUUID, timeoutMs: limits.streamRequestTimeoutMs },
      }),
    };
    const isDraining = () => this.#stopping !== undefined;
    this.#listener = new HubListener({
      hub: this.#context,
      isDraining,
      tls: options.tls,
      allowedOrigins: options.allowedOrigins,
      onConnection: (ws, socket, remoteAddress) => this.#onConnection(ws, socket, remoteAddress),
    });
    this.#http = new HubHttp({
      server: this.#listener.server,
      hub: this.#context,
      stats: () => this.stats(),
      isDraining,
      allowedOrigins: options.allowedOrigins ?? [],
      ...options.http,
    });
  }

  /**
   * Opens the store and listens.
   * @throws ApexError HUB_ADDRESS, HUB_TLS, HUB_PLAINTEXT, or those of opening the store
   */
  static async start(options: HubOptions): Promise<Hub> {
    if (options.tls === undefined)
      checkPlaintext(options.host, options.isPlaintextAllowed === true);
    const store = await HubStore.open(options);
    try {
      const tokens = new TokenDirectory(options.tokens);
      const tokenWatch = await TokenWatch.open({ ...options, directory: tokens });
      try {
        const hub = new Hub(options, { store, tokens, tokenWatch });
        await hub.#listen();
        return hub;
      } catch (error) {
        await tokenWatch.close();
        throw error;
      }
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#listener.address;
  }

  stats(): HubStats {
    return hubStats(this.#context, this.#uptimeS());
  }

  /**
   * Ends in good order within 5 s: no new clients, everything received is committed and acknowledged, clients are
   * told when to come back. Calling it again waits for the same end.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #listen(): Promise<void> {
    const { host, port, log, clock } = this.#options;
    await this.#http.ready();
    await this.#listener.listen(host, port);
    const beat = (): void => {
      enforceTokens(this.#context);
      for (const session of this.#context.registry.connections()) session.tick(BEAT_MS);
      this.#context.doorman.sweep(clock.monotonicMs());
      this.#context.refusalBudgets.sweep(clock.monotonicMs());
      this.#beat = clock.setTimeout(beat, BEAT_MS);
    };
    this.#beat = clock.setTimeout(beat, BEAT_MS);
    log.info({ ...this.address, store_id: this.#context.store.storeId }, 'hub listening');
  }

  #onConnection(ws: WebSocket, socket: Socket, remoteAddress: string): void {
    const connectionId = `c-${this.#nextConnection++}`;
    this.#context.counters.connections++;
    const certificate = certificateOf(socket);
    const certificateName = certificate.kind === 'trusted' ? certificate.name : null;
    const peer = { connectionId, remoteAddress, socket, certificateName };
    new HubSession(ws, this.#context, peer).start();
  }

  async #stop(): Promise<void> {
    const { random, clock, log } = this.#options;
    const { registry, store, history } = this.#context;
    const sessions = registry.connections();
    log.info({ clients: sessions.length }, 'hub draining');
    const { cap_ms: spreadMs } = reconnectAdvice(sessions.length);
    for (const session of sessions) session.drain(random() * spreadMs, DRAIN_DEADLINE_MS);
    let deadline: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = clock.setTimeout(resolve, DRAIN_DEADLINE_MS);
    });
    await Promise.race([registry.empty(), late]);
    deadline?.cancel();
    this.#beat?.cancel();
    for (const session of registry.connections()) session.terminate();
    await this.#listener.close();
    await this.#http.close();
    await history.close();
    await this.#tokenWatch.close();
    await store.close();
    log.info({}, 'hub stopped');
  }

  #uptimeS(): number {
    return Math.floor((this.#options.clock.monotonicMs() - this.#startedMs) / 1000);
  }
}
