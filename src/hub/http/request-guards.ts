import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problem.ts';

/** Nothing that the hub says belongs in a cache, in a frame or in another page. */
export const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, HEAD',
  'Access-Control-Allow-Headers': 'Authorization',
  'Access-Control-Max-Age': '600',
} as const;

/** What holds for every request, whatever it asks for: headers, pages of other origins, methods. */
export function guardRequests(app: FastifyInstance, allowedOrigins: readonly string[]): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    reply.header('Vary', 'Origin');
    const { origin } = request.headers;
    const isAllowed = origin !== undefined && allowedOrigins.includes(origin);
    if (isAllowed)
      reply.headers({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Expose-Headers': 'Retry-After',
      });
    if (isPreflight(request)) {
      if (!isAllowed) throw new HttpProblem('origin_not_allowed');
      return reply.code(204).headers(PREFLIGHT_HEADERS).send();
    }
    // Before a body is looked at: no route takes one.
    if (request.method !== 'GET' && request.method !== 'HEAD' && isPath(app, request.url))
      throw new HttpProblem('method_not_allowed', { headers: { Allow: 'GET, HEAD' } });
    if (request.is404) throw new HttpProblem('not_found');
  });
}

function isPreflight(request: {
  readonly method: string;
  readonly headers: Readonly<Record<string, unknown>>;
}): boolean {
  const { origin, 'access-control-request-method': method } = request.headers;
  return request.method === 'OPTIONS' && origin !== undefined && method !== undefined;
}

/** Something answers GET there. */
function isPath(app: FastifyInstance, url: string): boolean {
  const [path = '/'] = url.split('?', 1);
  return app.findRoute({ method: 'GET', url: path }) !== null;
}
