import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { z } from 'zod';
import type { RouteSpec } from '../../protocol/local-api/route.ts';
import { ROUTES, type RouteKey } from '../../protocol/local-api/routes.ts';
import { redact } from '../../system/redact.ts';
import type { AuditLog } from '../access/audit-log.ts';
import type { Gate } from '../access/gate.ts';
import type { Visitor } from '../access/visitor.ts';
import type { Call, Handlers } from './handlers.ts';
import { ApiProblem } from './problem.ts';

export interface RouteServerOptions {
  readonly gate: Gate;
  readonly audit: AuditLog;
  readonly wallMs: () => number;
}

/** Of requests in JSON. */
const JSON_BYTES = 256 * 1024;
/** Of a picture to take a face from: a photo of a good telephone. */
const PICTURE_BYTES = 16 * 1024 * 1024;

/** Told of people, these would outlive them in the log. */
const PERSONAL = '/api/people';

/** Answers the routes of the contract: lets in who may, understands what is given, and writes down what is changed. */
export class RouteServer {
  readonly #options: RouteServerOptions;
  readonly #visitors = new WeakMap<FastifyRequest, Visitor>();

  constructor(options: RouteServerOptions) {
    this.#options = options;
  }

  register(app: FastifyInstance, handlers: Handlers): void {
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      app.getDefaultJsonParser('error', 'error'),
    );
    app.addContentTypeParser(
      'image/jpeg',
      { parseAs: 'buffer' },
      async (_: unknown, body: Buffer) => body,
    );
    app.addHook('onResponse', async (request, reply) => this.#noteChange(request, reply));
    for (const key of Object.keys(ROUTES) as RouteKey[]) this.#add(app, key, handlers);
  }

  #add(app: FastifyInstance, key: RouteKey, handlers: Handlers): void {
    const spec: RouteSpec = ROUTES[key];
    const [method, url = ''] = key.split(' ') as [HTTPMethods, string];
    const handle = handlers[key] as (call: Call<RouteKey>) => Promise<unknown>;
    app.route({
      method,
      url,
      config: { spec },
      bodyLimit: spec.body === 'image/jpeg' ? PICTURE_BYTES : JSON_BYTES,
      // A stream would run for who asks for its head.
      exposeHeadRoute: typeof spec.answer !== 'string',
      // Before the body is read: strangers send none.
      onRequest: async (request) => {
        if (spec.role !== 'open')
          this.#visitors.set(request, await this.#options.gate.admit(request, spec.role));
      },
      handler: async (request, reply) => {
        const visitor = this.#visitors.get(request) ?? null;
        const given = understood(spec, request);
        const answer = await handle({ ...given, visitor, request, reply } as Call<RouteKey>);
        if (reply.sent || answer === reply) return reply;
        return answer === undefined ? reply.code(204).send() : reply.send(answer);
      },
    });
  }

  #noteChange(request: FastifyRequest, reply: FastifyReply): void {
    const { spec } = request.routeOptions.config as { readonly spec?: RouteSpec };
    const visitor = this.#visitors.get(request);
    if (spec?.isChange !== true || visitor === undefined) return;
    const { name, role, address } = visitor;
    const isPersonal = request.routeOptions.url?.startsWith(PERSONAL) === true;
    this.#options.audit.add({
      at: Math.round(this.#options.wallMs()),
      by: name,
      role,
      from: address,
      action: `${request.method} ${request.routeOptions.url}`,
      target: isPersonal ? {} : { ...(request.params as Record<string, string>) },
      change: isPersonal ? keysOf(request.body) : redact(request.body ?? null),
      status: reply.statusCode,
    });
  }
}

function understood({ path, query, body }: RouteSpec, request: FastifyRequest) {
  return {
    path: path && checked(path, request.params, 'path'),
    query: query && checked(query, request.query, 'query'),
    body: bodyOf(body, request),
  };
}

function bodyOf(body: RouteSpec['body'], request: FastifyRequest): unknown {
  if (body === undefined) return undefined;
  if (typeof body !== 'string') return checked(body, request.body, 'body');
  if (Buffer.isBuffer(request.body)) return request.body;
  throw new ApiProblem('unsupported_media_type', { detail: `the body has to be ${body}` });
}

/** @throws ApiProblem invalid_request */
function checked(schema: z.ZodType, given: unknown, part: string): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = [part, ...(issue?.path ?? [])].map(String).join('.');
  throw new ApiProblem('invalid_request', { detail: `${where}: ${issue?.message ?? 'invalid'}` });
}

function keysOf(body: unknown): unknown {
  if (Buffer.isBuffer(body)) return `${body.byteLength} bytes`;
  return typeof body === 'object' && body !== null ? Object.keys(body) : null;
}
