import type { FastifyRequest } from 'fastify';
import type { TokenDirectory } from '../../hub/door/token-directory.ts';
import type { HubToken } from '../../hub/door/tokens.ts';
import type { Authentication } from '../../hub/http/authentication.ts';
import { isAtLeast, type Role } from '../../protocol/local-api/route.ts';
import type { Clock } from '../../system/clock.ts';
import { ApiProblem } from '../http/problem.ts';
import { secretOf } from './cookie.ts';
import type { Sessions } from './sessions.ts';
import { type Visitor, visitorOf } from './visitor.ts';

export interface GateOptions {
  readonly authentication: Authentication;
  readonly tokens: TokenDirectory;
  readonly sessions: Sessions;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** Only scripts of this box's own pages can set it: a page elsewhere would need a leave that nobody gives. */
const CSRF_HEADER = 'x-apex-csrf';
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Finds out who asks, by a bearer token or by the cookie of a session. */
export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * @throws ApiProblem auth_failed, csrf_refused, forbidden
   * @throws HttpProblem as `Authentication.authenticate` does
   */
  async admit(request: FastifyRequest, needed: Role): Promise<Visitor> {
    const visitor = await this.#visitor(request);
    if (isAtLeast(visitor.role, needed)) return visitor;
    const detail = `needs the role ${needed}; the token ${visitor.name} has ${visitor.role}`;
    throw new ApiProblem('forbidden', { detail });
  }

  /** The owner of a token that is shown to log in. @throws HttpProblem as `authenticate` does */
  async login(token: string, request: FastifyRequest): Promise<HubToken> {
    checkOrigin(request);
    const found = await this.#options.authentication.authenticate(`Bearer ${token}`, request.ip);
    if (found.type !== 'ai_engine') return found;
    throw new ApiProblem('forbidden', { detail: 'this is no token for people' });
  }

  async #visitor(request: FastifyRequest): Promise<Visitor> {
    const { authorization, cookie } = request.headers;
    const address = request.ip;
    const secret = authorization === undefined ? secretOf(cookie, isSecure(request)) : null;
    if (secret === null) {
      const { authentication } = this.#options;
      const token = await authentication.authenticate(authorization, address);
      return visitorOf(token, { sessionId: null, address });
    }
    const { sessions, tokens, clock } = this.#options;
    const session = sessions.find(secret);
    const nowMs = clock.wallMs();
    if (session === null || tokens.faultOf(session.token, nowMs) !== null)
      throw new ApiProblem('auth_failed', { detail: 'the session is over: log in again' });
    if (!SAFE_METHODS.has(request.method)) checkOwnPage(request);
    tokens.noteUse(session.token, nowMs);
    return visitorOf(session.token, { sessionId: session.id, address });
  }
}

export function isSecure(request: FastifyRequest): boolean {
  return 'encrypted' in request.raw.socket;
}

/** A browser sends the cookie along whoever asks; that it is our page shows in what no other page can say. */
function checkOwnPage(request: FastifyRequest): void {
  if (request.headers[CSRF_HEADER] === undefined)
    throw new ApiProblem('csrf_refused', { detail: 'the header X-Apex-Csrf is missing' });
  checkOrigin(request);
}

function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return;
  throw new ApiProblem('csrf_refused', { detail: 'the request comes from another page' });
}
