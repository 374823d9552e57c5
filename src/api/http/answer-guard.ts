import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SECURITY_HEADERS } from '../../hub/http/request-guards.ts';
import { ROUTES } from '../../protocol/local-api/routes.ts';
import type { Logger } from '../../system/logger.ts';
import { redactText } from '../../system/redact.ts';
import { ApiProblem, type FailedAnswer, failedAnswer, isFailure, PROBLEM_TYPE } from './problem.ts';

const ADDRESSES = Object.keys(ROUTES).map((key) => {
  const [method = '', url = ''] = key.split(' ');
  return {
    method,
    pattern: new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`),
  };
});

/** What holds for every answer: its headers, and that nobody guesses at addresses. Pages of others get no leave. */
export function guardAnswers(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (!request.is404) return;
    const [path = '/'] = request.url.split('?', 1);
    const allowed = ADDRESSES.filter(({ pattern }) => pattern.test(path)).map(
      ({ method }) => method,
    );
    if (allowed.length === 0) throw new ApiProblem('not_found');
    throw new ApiProblem('method_not_allowed', { headers: { Allow: allowed.join(', ') } });
  });
}

/** Answers a request that failed with problem details (RFC 9457). */
export function answerFailure(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const answer = failedAnswer(error);
  if (isFailure(answer)) log.error({ err: error, url: request.routeOptions.url }, 'request failed');
  return (
    reply
      .code(answer.details.status)
      // An address that cannot be read comes here past all hooks.
      .headers(SECURITY_HEADERS)
      .headers(answer.headers)
      .type(PROBLEM_TYPE)
      // Not as text, to which a character set would be added.
      .send(Buffer.from(bodyOf(answer)))
  );
}

/** Messages of the box's parts may quote an address of a camera. */
function bodyOf({ details }: FailedAnswer): string {
  return redactText(JSON.stringify(details));
}
