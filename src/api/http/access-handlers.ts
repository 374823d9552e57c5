import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { StoredToken } from '../../hub/door/token-file.ts';
import type { TokenWatch } from '../../hub/door/token-watch.ts';
import type { LiveTickets } from '../../live/live-tickets.ts';
import type { AccessToken, Profile } from '../../protocol/local-api/access.ts';
import type { Clock } from '../../system/clock.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { endedCookie, sessionCookie } from '../access/cookie.ts';
import { type Gate, isSecure } from '../access/gate.ts';
import type { Sessions } from '../access/sessions.ts';
import { camerasOf, roleOf, scopesOf, type Visitor, visitorOf } from '../access/visitor.ts';
import type { Handlers } from './handlers.ts';
import { ApiProblem } from './problem.ts';

export interface AccessHandlersOptions {
  readonly gate: Gate;
  readonly sessions: Sessions;
  readonly tokens: Pick<TokenWatch, 'list' | 'add' | 'revoke'>;
  readonly tickets: Pick<LiveTickets, 'issue'>;
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** 256 random bits as text. */
  readonly newSecret: () => string;
  readonly edgeId: string;
  readonly version: string;
}

const DAY_MS = 24 * 3600_000;

type Keys =
  | 'POST /api/login'
  | 'POST /api/logout'
  | 'GET /api/profile'
  | 'POST /api/live_ticket'
  | 'GET /api/access'
  | 'POST /api/access'
  | 'DELETE /api/access/:name'
  | 'GET /api/audit';

/** Who may use the box. */
export function accessHandlers(options: AccessHandlersOptions): Handlers<Keys> {
  const { gate, sessions, tokens, tickets, audit, clock, newSecret } = options;
  const profileOf = (visitor: Visitor): Profile => ({
    name: visitor.name,
    role: visitor.role,
    cameras: visitor.cameras && [...visitor.cameras],
    expires_at: visitor.token.expiresMs ?? null,
    edge_id: options.edgeId,
    version: options.version,
  });
  return {
    'POST /api/login': async ({ body, request, reply }) => {
      const token = await gate.login(body.token, request);
      const secret = sessions.begin(token);
      void reply.header('Set-Cookie', sessionCookie(secret, isSecure(request)));
      return profileOf(visitorOf(token, { sessionId: null, address: request.ip }));
    },
    'POST /api/logout': async ({ visitor, request, reply }): Promise<FastifyReply | undefined> => {
      if (visitor.sessionId !== null) sessions.end(visitor.sessionId);
      void reply.header('Set-Cookie', endedCookie(isSecure(request)));
      return undefined;
    },
    'GET /api/profile': async ({ visitor }) => profileOf(visitor),
    'POST /api/live_ticket': async ({ visitor }) => {
      const { ticket, expiresMs } = tickets.issue(visitor);
      return { ticket, expires_at: expiresMs };
    },
    'GET /api/access': async () => ({ tokens: tokens.list.map(accessOf) }),
    'POST /api/access': async ({ body }) => {
      const { name, role, cameras, expires_days: days } = body;
      if (role === 'admin' && cameras !== null)
        throw new ApiProblem('invalid_request', { detail: 'an admin is for all cameras' });
      const createdMs = Math.round(clock.wallMs());
      const expiresMs = days === null ? undefined : createdMs + days * DAY_MS;
      const secret = newSecret();
      const sha256 = createHash('sha256').update(secret).digest('hex');
      const token = { name, type: 'frontend' as const, sha256, scopes: scopesOf(role, cameras) };
      await tokens.add({ ...token, createdMs, expiresMs });
      const stored = {
        ...token,
        createdMs,
        expiresMs,
        lastUsedMs: undefined,
        revokedMs: undefined,
      };
      return { ...accessOf(stored), token: secret };
    },
    'DELETE /api/access/:name': async ({ path, visitor }): Promise<undefined> => {
      assertNotLast(path.name, visitor, tokens.list, clock.wallMs());
      await tokens.revoke(path.name);
    },
    'GET /api/audit': async ({ query }) => ({ entries: await audit.newest(query.limit) }),
  };
}

/** Without an administrator nobody could ever make one again over the network. */
function assertNotLast(
  name: string,
  visitor: Visitor,
  list: readonly StoredToken[],
  nowMs: number,
): void {
  const isGood = ({ revokedMs, expiresMs }: StoredToken) =>
    revokedMs === undefined && (expiresMs === undefined || expiresMs > nowMs);
  const admins = list.filter((token) => isGood(token) && roleOf(token) === 'admin');
  if (admins.some((token) => token.name !== name) || visitor.name !== name) return;
  const detail = 'this is the only token of an admin: make another one first';
  throw new ApiProblem('forbidden', { detail });
}

function accessOf(token: StoredToken): AccessToken {
  const cameras = camerasOf(token);
  return {
    name: token.name,
    role: roleOf(token),
    cameras: cameras && [...cameras],
    created_at: token.createdMs,
    expires_at: token.expiresMs ?? null,
    last_used_at: token.lastUsedMs ?? null,
    revoked_at: token.revokedMs ?? null,
  };
}
