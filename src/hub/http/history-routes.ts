import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HubToken } from '../door/tokens.ts';
import type { EventHistory } from '../store/event-store.ts';
import type { HistoryPage, HistoryQuery } from '../store/history-query.ts';
import { checked } from './checked.ts';
import { cursorText } from './history-cursor.ts';
import { eventPath, historyParameters, queryOf, singleEvent } from './history-parameters.ts';
import { withinScope } from './history-scope.ts';
import { PagePlaces } from './page-places.ts';
import { HttpProblem } from './problem.ts';

export interface HistoryRoutesOptions {
  readonly history: EventHistory;
  readonly authenticate: (request: FastifyRequest) => Promise<HubToken>;
  /** Calls back once an answer was given away, or nobody is there to take it. */
  readonly whenOver: (response: ServerResponse, callback: () => void) => void;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** What was stored, for whoever may receive it: GET /api/v1/events and /api/v1/events/:event_id. */
export function historyRoutes(app: FastifyInstance, options: HistoryRoutesOptions): void {
  const { history, authenticate, whenOver } = options;
  const places = new PagePlaces();
  const read = async (
    request: FastifyRequest,
    reply: FastifyReply,
    query: HistoryQuery,
  ): Promise<HistoryPage> => {
    const { name, type, scopes } = await authenticate(request);
    if (type === 'ai_engine') {
      const detail = 'an ai_engine delivers events and does not read them';
      throw new HttpProblem('forbidden', { detail });
    }
    whenOver(reply.raw, places.take(name));
    return history.page(withinScope(query, scopes), name);
  };

  app.get('/api/v1/events', async (request, reply) => {
    const query = queryOf(checked(historyParameters, request.query));
    const { frames, next, hasMore } = await read(request, reply, query);
    const cursor = next && cursorText({ order: query.order, place: next });
    const end = `"next_cursor":${JSON.stringify(cursor)},"has_more":${hasMore}`;
    return sendJson(reply, `{"events":[${frames.join(',')}],${end}}`);
  });

  app.get('/api/v1/events/:event_id', async (request, reply) => {
    const { event_id: eventId } = checked(eventPath, request.params);
    const [frame] = (await read(request, reply, singleEvent(eventId))).frames;
    // Whether it is there at all is not told to who may not see it.
    if (frame === undefined) throw new HttpProblem('not_found');
    return sendJson(reply, frame);
  });
}

/** The bodies are JSON text already. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(JSON_TYPE).send(text);
}
