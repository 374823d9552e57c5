import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { HubCounters } from '../../hub/counters.ts';
import { Doorman } from '../../hub/door/doorman.ts';
import { checkPlaintext, type ListenerTls } from '../../hub/door/listener-tls.ts';
import { TokenDirectory } from '../../hub/door/token-directory.ts';
import { TokenWatch } from '../../hub/door/token-watch.ts';
import { visitorLog } from '../../hub/door/visitor-log.ts';
import { AnswerWatch } from '../../hub/http/answer-watch.ts';
import { Authentication } from '../../hub/http/authentication.ts';
import { httpApp } from '../../hub/http/http-app.ts';
import { DEFAULT_HUB_LIMITS } from '../../hub/limits.ts';
import { HubListener } from '../../hub/listener.ts';
import { LiveServer } from '../../live/live-server.ts';
import { LiveTickets } from '../../live/live-tickets.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import { packageVersion } from '../../system/package-info.ts';
import { AuditLog } from '../access/audit-log.ts';
import { Gate } from '../access/gate.ts';
import { type SavedSession, Sessions } from '../access/sessions.ts';
import type { Visitor } from '../access/visitor.ts';
import type { LocalBox } from '../local-box.ts';
import { accessHandlers } from './access-handlers.ts';
import { answerFailure, guardAnswers } from './answer-guard.ts';
import { cameraHandlers } from './camera-handlers.ts';
import { configurationHandlers } from './configuration-handlers.ts';
import { historyHandlers } from './history-handlers.ts';
import { LiveStreams } from './live-streams.ts';
import { pageRoutes } from './page-routes.ts';
import { peopleHandlers } from './people-handlers.ts';
import { RouteServer } from './route-server.ts';
import { stateHandlers } from './state-handlers.ts';
import type { StaticFile } from './static-files.ts';

export interface LocalApiOptions {
  readonly box: LocalBox;
  /** Of the list of tokens, and of the audit log. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Plain HTTP without. */
  readonly tls?: ListenerTls | undefined;
  /** Without TLS only this machine is listened to, or where this says that others may read along. */
  readonly isPlaintextAllowed: boolean;
  /** The built console; empty where it is not installed. */
  readonly pages: ReadonlyMap<string, StaticFile>;
  /** Outlives the daemon. */
  readonly sessions: {
    readonly saved: readonly SavedSession[];
    save(sessions: readonly SavedSession[]): void;
  };
  readonly clock: Clock;
  readonly log: Logger;
}

const TICK_MS = 1000;

/** The box for people: what it saw, how it does and how it is set up, over HTTP, with the console on top. */
export class LocalApi {
  readonly #options: LocalApiOptions;
  readonly #tokens: TokenDirectory;
  readonly #watch: TokenWatch;
  readonly #sessions: Sessions;
  readonly #audit: AuditLog;
  readonly #doorman = new Doorman(DEFAULT_HUB_LIMITS);
  readonly #answers: AnswerWatch;
  readonly #streams: LiveStreams;
  readonly #live: LiveServer;
  readonly #listener: HubListener;
  readonly #app: FastifyInstance;
  #timer: TimerHandle | null = null;
  #isStopping = false;

  /**
   * Reads who may come in, and listens.
   * @throws ApiError HUB_PLAINTEXT, HUB_ADDRESS, HUB_TLS, and as opening a database does
   */
  static async start(options: LocalApiOptions): Promise<LocalApi> {
    if (options.tls === undefined) checkPlaintext(options.host, options.isPlaintextAllowed);
    const directory = new TokenDirectory([]);
    const watch = await TokenWatch.open({ ...options, directory });
    try {
      const api = new LocalApi(options, directory, watch);
      try {
        await api.#listen();
      } catch (error) {
        await api.#abandon();
        throw error;
      }
      return api;
    } catch (error) {
      await watch.close();
      throw error;
    }
  }

  private constructor(options: LocalApiOptions, tokens: TokenDirectory, watch: TokenWatch) {
    const { box, dataDir, clock, log, sessions } = options;
    this.#options = options;
    this.#tokens = tokens;
    this.#watch = watch;
    this.#audit = new AuditLog({ dataDir, log });
    this.#sessions = new Sessions({
      clock,
      newSecret,
      onChange: () => sessions.save(this.#sessions.saved()),
    });
    this.#sessions.restore(sessions.saved, tokens.all);
    const door = {
      ...{ tokens, doorman: this.#doorman, clock, counters: new HubCounters(), log },
      visitorLog: visitorLog(log, clock),
    };
    this.#answers = new AnswerWatch(door);
    const isOpen = (sessionId: string): boolean => this.#sessions.isOpen(sessionId);
    const tickets = new LiveTickets({ tokens, isOpen, clock, newSecret });
    this.#live = new LiveServer({
      ...door,
      ...{ tickets, edgeId: box.edgeId, events: box.events, cameras: box.requests },
    });
    this.#listener = new HubListener({
      hub: door,
      isDraining: () => this.#isStopping,
      tls: options.tls,
      onConnection: (ws, socket, address) => this.#live.connection(ws, socket, address),
    });
    this.#streams = new LiveStreams({
      pictures: box.pictures,
      progressed: (response) => this.#answers.progressed(response),
    });
    this.#app = this.#routes(new Authentication(door), tickets);
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#listener.address;
  }

  /** Whether anybody can log in at all. */
  get hasTokens(): boolean {
    const nowMs = this.#options.clock.wallMs();
    return this.#tokens.all.some((token) => this.#tokens.faultOf(token, nowMs) === null);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    this.#streams.close();
    await this.#live.close();
    this.#options.sessions.save(this.#sessions.saved());
    await this.#listener.close();
    await this.#app.close();
    await this.#watch.close();
    await this.#audit.settled();
  }

  /** It cannot listen: nothing of it goes on, or it would keep the program from ending. */
  async #abandon(): Promise<void> {
    this.#isStopping = true;
    await this.#live.close();
    await this.#app.close();
  }

  #routes(authentication: Authentication, tickets: LiveTickets): FastifyInstance {
    const { box, clock, log, pages } = this.#options;
    const [tokens, sessions, audit] = [this.#tokens, this.#sessions, this.#audit];
    const app = httpApp({
      server: this.#listener.server,
      admit: (request, response) => this.#answers.admit(request, response),
      bodyLimit: 1024,
      onError: (error, request, reply) => answerFailure(error, request, reply, log),
    });
    guardAnswers(app);
    const gate = new Gate({ authentication, tokens, sessions, clock });
    const version = packageVersion();
    const who = { gate, sessions, tokens: this.#watch, tickets, audit, clock, newSecret };
    const server = new RouteServer({ gate, audit, wallMs: () => clock.wallMs() });
    server.register(app, {
      ...accessHandlers({ ...who, edgeId: box.edgeId, version }),
      ...stateHandlers(box, version),
      ...cameraHandlers(box, this.#streams),
      ...historyHandlers(box),
      ...peopleHandlers(box),
      ...configurationHandlers(box),
    });
    pageRoutes(app, pages);
    return app;
  }

  async #listen(): Promise<void> {
    const { host, port, log } = this.#options;
    await this.#app.ready();
    await this.#listener.listen(host, port);
    this.#tick();
    log.info({ ...this.address, has_tokens: this.hasTokens }, 'local API listening');
  }

  /** Who may no longer come in is shown nothing more. */
  #tick(): void {
    const { clock } = this.#options;
    const isGood = ({ token, sessionId }: Visitor): boolean =>
      this.#tokens.faultOf(token, clock.wallMs()) === null &&
      (sessionId === null || this.#sessions.isOpen(sessionId));
    this.#sessions.keepOnly((token) => this.#tokens.faultOf(token, clock.wallMs()) === null);
    this.#streams.tick(isGood);
    this.#doorman.sweep(clock.monotonicMs());
    this.#timer = clock.setTimeout(() => this.#tick(), TICK_MS);
  }
}

/** 256 random bits: see `checkToken` for what that makes unnecessary. */
function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
