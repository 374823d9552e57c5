import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem } from './problem.ts';
import { fileFor, PAGE_POLICY, type StaticFile } from './static-files.ts';

const FOREVER = 'public, max-age=31536000, immutable';
const NOT_BUILT =
  'the console is not part of this installation; /api/openapi.json describes the API';

/** The console: its files, and its one document for all its pages. They hold nothing that is secret. */
export function pageRoutes(app: FastifyInstance, files: ReadonlyMap<string, StaticFile>): void {
  app.get('/*', async (request, reply) => {
    const file = fileFor(files, request.url);
    if (file !== null) return sendFile(file, request, reply);
    throw new ApiProblem('not_found', files.size === 0 ? { detail: NOT_BUILT } : {});
  });
}

function sendFile(file: StaticFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.headers({
    ETag: file.etag,
    Vary: 'Accept-Encoding',
    'Cache-Control': file.isImmutable ? FOREVER : 'no-cache',
  });
  // Also where nothing has changed: the headers of that answer take the place of those kept.
  if (file.type.startsWith('text/html')) void reply.header('Content-Security-Policy', PAGE_POLICY);
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
  void reply.type(file.type);
  const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  if (!takesGzip) return reply.send(file.body);
  return reply.header('Content-Encoding', 'gzip').send(file.gzip);
}
