import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Role } from '../../protocol/local-api/route.ts';
import type { ROUTES, RouteAnswer, RouteGiven, RouteKey } from '../../protocol/local-api/routes.ts';
import type { Visitor } from '../access/visitor.ts';

type RoleOf<Key extends RouteKey> = (typeof ROUTES)[Key]['role'];

/** A request that was let in and understood. */
export interface Call<Key extends RouteKey> {
  readonly path: RouteGiven<Key, 'path'>;
  readonly query: RouteGiven<Key, 'query'>;
  readonly body: (typeof ROUTES)[Key] extends { readonly body: 'image/jpeg' }
    ? Buffer
    : RouteGiven<Key, 'body'>;
  readonly visitor: RoleOf<Key> extends Role ? Visitor : null;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Answers in JSON; what is none is sent on `reply`, and that returned. */
type Handler<Key extends RouteKey> = (
  call: Call<Key>,
) => Promise<
  RouteAnswer<Key> extends undefined ? FastifyReply | undefined : RouteAnswer<Key> | FastifyReply
>;

export type Handlers<Keys extends RouteKey = RouteKey> = { readonly [Key in Keys]: Handler<Key> };
