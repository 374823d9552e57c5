import type { Server } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApexError } from '../../system/errors.ts';
import { MetricRegistry } from '../../system/metrics.ts';
import { packageVersion } from '../../system/package-info.ts';
import { ProcessWatch } from '../../system/process-watch.ts';
import { certificateOf } from '../door/listener-tls.ts';
import type { HubToken } from '../door/tokens.ts';
import type { HubContext } from '../hub-context.ts';
import type { HubStats } from '../hub-stats.ts';
import { AnswerWatch } from './answer-watch.ts';
import { Authentication } from './authentication.ts';
import { evidenceRoutes } from './evidence-routes.ts';
import { healthOf } from './health.ts';
import { historyRoutes } from './history-routes.ts';
import { httpApp } from './http-app.ts';
import { HubMetrics } from './hub-metrics.ts';
import { HttpProblem, PROBLEM_CONTENT_TYPE, type ProblemCode } from './problem.ts';
import { Readiness } from './readiness.ts';
import { guardRequests, SECURITY_HEADERS } from './request-guards.ts';
import { statsView } from './stats-view.ts';

export interface HttpOptions {
  /** GET /metrics needs no token. */
  readonly isMetricsOpen?: boolean;
}

export interface HubHttpOptions extends HttpOptions {
  /** Listens for somebody else too: upgrades to WebSockets. */
  readonly server: Server;
  readonly hub: HubContext;
  readonly stats: () => HubStats;
  readonly isDraining: () => boolean;
  /** Origins of pages that may ask, such as `https://console.example.org`. */
  readonly allowedOrigins: readonly string[];
}

/** No route but the upload of evidence takes a body. */
const BODY_LIMIT = 1024;
const RETRY_AFTER_S = '1';

/** What the hub answers over plain HTTP: health, readiness, statistics, metrics, history, evidence. */
export class HubHttp {
  readonly #options: HubHttpOptions;
  readonly #app: FastifyInstance;
  readonly #authentication: Authentication;
  readonly #readiness: Readiness;
  readonly #metrics = new HubMetrics();
  readonly #answers: AnswerWatch;
  readonly #watch = new ProcessWatch();
  readonly #version = packageVersion();

  constructor(options: HubHttpOptions) {
    this.#options = options;
    const { hub, server, isDraining, allowedOrigins } = options;
    this.#answers = new AnswerWatch(hub);
    this.#authentication = new Authentication(hub);
    this.#readiness = new Readiness({ store: hub.store, clock: hub.clock, isDraining });
    hub.store.onCommit = (ms) => this.#metrics.committed(ms);
    hub.load.onCommitted = (ms) => this.#metrics.acknowledged(ms);
    this.#app = httpApp({
      server,
      admit: (request, response) => this.#answers.admit(request, response),
      bodyLimit: BODY_LIMIT,
      onError: (error, request, reply) => this.#answerError(error, request, reply),
    });
    guardRequests(this.#app, allowedOrigins);
    this.#openRoutes();
    this.#adminRoutes();
    const { history } = hub;
    historyRoutes(this.#app, {
      history,
      authenticate: (request) => this.#tokenOf(request),
      whenOver: (response, callback) => this.#answers.whenOver(response, callback),
    });
    evidenceRoutes(this.#app, {
      hub,
      authenticate: (request) => this.#tokenOf(request),
      progressed: (response) => this.#answers.progressed(response),
    });
  }

  /** From here on requests are answered. */
  async ready(): Promise<void> {
    await this.#app.ready();
  }

  async close(): Promise<void> {
    this.#watch.stop();
    await this.#app.close();
  }

  /** For everybody: no more than a stranger may know. */
  #openRoutes(): void {
    const app = this.#app;
    app.get('/api/health', async () => healthOf(this.#options.stats(), this.#version));
    app.get('/livez', async () => ({ status: 'live' }));
    app.get('/readyz', async (_request, reply) => {
      const reasons = await this.#readiness.reasons();
      if (reasons.length === 0) return { status: 'ready' };
      reply.code(503).header('Retry-After', RETRY_AFTER_S);
      return { status: 'not_ready', reasons };
    });
  }

  #adminRoutes(): void {
    const { hub, stats, isMetricsOpen = false } = this.#options;
    this.#app.get('/api/stats', async (request) => {
      await this.#admit(request);
      const clients = hub.registry.connections().flatMap((session) => session.view() ?? []);
      return statsView(stats(), clients, this.#version);
    });
    this.#app.get('/metrics', async (request, reply) => {
      if (!isMetricsOpen) await this.#admit(request);
      const snapshot = { stats: stats(), process: this.#watch.facts(), version: this.#version };
      return reply.type(MetricRegistry.contentType).send(this.#metrics.render(snapshot));
    });
  }

  async #admit(request: FastifyRequest): Promise<void> {
    const { scopes } = await this.#tokenOf(request);
    if (!scopes.admin) throw new HttpProblem('forbidden', { detail: 'needs the scope admin' });
  }

  #tokenOf(request: FastifyRequest): Promise<HubToken> {
    const { headers, ip, raw } = request;
    const certificate = certificateOf(raw.socket);
    const certificateName = certificate.kind === 'trusted' ? certificate.name : null;
    return this.#authentication.authenticate(headers.authorization, ip, certificateName);
  }

  #answerError(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const problem = problemOf(error);
    if (problem.code === 'internal')
      this.#options.hub.log.error({ err: error, url: request.routeOptions.url }, 'request failed');
    return (
      reply
        .code(problem.status)
        // An address that cannot be read comes here past all hooks.
        .headers(SECURITY_HEADERS)
        .headers(problem.headers)
        .type(PROBLEM_CONTENT_TYPE)
        // Not as text, to which a character set would be added.
        .send(Buffer.from(JSON.stringify(problem.body())))
    );
  }
}

const STATUS_PROBLEMS: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid_request',
  404: 'not_found',
  411: 'invalid_request',
  413: 'too_large',
  414: 'too_large',
  415: 'invalid_request',
};

function problemOf(error: Error & { readonly statusCode?: number }): HttpProblem {
  if (error instanceof HttpProblem) return error;
  const headers = { 'Retry-After': RETRY_AFTER_S };
  if (error instanceof ApexError && error.code === 'HISTORY_BUSY')
    return new HttpProblem('try_later', { headers, detail: error.message });
  if (error instanceof ApexError && error.code === 'HISTORY_CROWDED')
    return new HttpProblem('too_many_queries', { headers, detail: error.message });
  return new HttpProblem(STATUS_PROBLEMS[error.statusCode ?? 500] ?? 'internal');
}
