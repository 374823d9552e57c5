import type { ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  EVIDENCE_KINDS,
  EVIDENCE_TYPES,
  EVIDENCE_UPLOAD_PATH,
  type EvidenceKind,
  evidenceId,
  MAX_EVIDENCE_BYTES,
} from '../../protocol/evidence-request.ts';
import { cameraId } from '../../protocol/frame-parts.ts';
import { isInScope } from '../../protocol/scopes.ts';
import type { HubToken } from '../door/tokens.ts';
import type { EvidenceFailure } from '../evidence/evidence-desk.ts';
import type { HubContext } from '../hub-context.ts';
import { checked } from './checked.ts';
import { HttpProblem, type ProblemCode } from './problem.ts';

export interface EvidenceRoutesOptions {
  readonly hub: Pick<HubContext, 'evidence' | 'counters' | 'log'>;
  readonly authenticate: (request: FastifyRequest) => Promise<HubToken>;
  /** An exchange that takes long goes on. */
  readonly progressed: (response: ServerResponse) => void;
}

const path = z.object({ camera_id: cameraId, kind: z.enum(EVIDENCE_KINDS), id: evidenceId });
const uploadPath = z.object({ request_id: z.uuid() });

/** Type of the messages that evidence belongs to: who may not receive these gets none of it. */
const BELONGS_TO: Readonly<Record<EvidenceKind, string>> = {
  snapshot: 'object_event',
  face: 'face_detection_result',
  thumbnail: 'alert_thumbnail',
  clip: 'alert_triggered',
};

const ENDINGS: Readonly<Record<(typeof EVIDENCE_TYPES)[EvidenceKind], string>> = {
  'image/jpeg': 'jpg',
  'video/mp4': 'mp4',
};

/** What hub and edge call a failure, and what a viewer is told. */
const FAILURES: Readonly<Record<string, ProblemCode>> = {
  camera_unknown: 'camera_unknown',
  edge_offline: 'edge_offline',
  edge_outdated: 'edge_outdated',
  edge_timeout: 'edge_timeout',
  too_many: 'too_many_requests',
  EVIDENCE_BUSY: 'too_many_requests',
  EVIDENCE_UNKNOWN: 'evidence_unknown',
  EVIDENCE_NOT_YET: 'evidence_not_yet',
  EVIDENCE_ALLOWANCE_SPENT: 'evidence_allowance_spent',
  EVIDENCE_REQUESTS_OFF: 'evidence_requests_off',
  EVIDENCE_TOO_LARGE: 'too_large',
};

/**
 * Evidence that edges keep, from the disk of the edge to the viewer and nowhere else. The edge is ordered to upload it;
 * the upload is read as fast as the viewer reads.
 */
export function evidenceRoutes(app: FastifyInstance, options: EvidenceRoutesOptions): void {
  const { evidence } = options.hub;
  const route = '/api/v1/cameras/:camera_id/evidence/:kind/:id';
  // HEAD would have it all sent for nothing.
  app.get(route, { exposeHeadRoute: false }, async (request, reply) => {
    const token = await options.authenticate(request);
    const order = checked(path, request.params);
    assertMayHave(token, order);
    const { camera_id: camera, kind, id } = order;
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const asked = { cameraId: camera, kind, id };
    const outcome = await evidence.ask(asked, token.name, gone.signal);
    if ('failure' in outcome) throw problemOf(outcome.failure);
    const { body, bytes } = outcome.upload;
    body.on('progress', () => options.progressed(reply.raw));
    return reply
      .type(EVIDENCE_TYPES[kind])
      .header('Content-Length', bytes)
      .header('Content-Disposition', `inline; filename="${fileName(kind, id)}"`)
      .send(body);
  });
  // With a parser of its own: no other route takes a body.
  app.register((uploads, _options, done) => {
    uploads.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    const limit = { bodyLimit: MAX_EVIDENCE_BYTES };
    uploads.put(`/${EVIDENCE_UPLOAD_PATH}:request_id`, limit, (request, reply) =>
      receive(request, reply, options),
    );
    done();
  });
}

async function receive(
  request: FastifyRequest,
  reply: FastifyReply,
  { hub, authenticate, progressed }: EvidenceRoutesOptions,
): Promise<FastifyReply> {
  const token = await authenticate(request);
  if (token.type !== 'ai_engine')
    throw new HttpProblem('forbidden', { detail: 'only an ai_engine uploads evidence' });
  const { request_id: requestId } = checked(uploadPath, request.params);
  const bytes = lengthOf(request);
  const body = new Meter((count) => {
    hub.counters.evidenceBytes += count;
    progressed(reply.raw);
  });
  // Whether it was ever asked for is not told to who was not asked.
  if (!hub.evidence.receive(requestId, token.name, { body, bytes }))
    throw new HttpProblem('not_found', { headers: { Connection: 'close' } });
  // `pipeline` takes it from the request and leaves it open.
  const { socket } = request.raw;
  try {
    await pipeline(request.raw, body);
  } catch (error) {
    // The edge or the viewer is gone, and with it the connection of the other.
    hub.log.debug({ err: error }, 'evidence not sent to its end');
    socket.destroy();
    return reply.hijack();
  }
  return reply.code(204).send();
}

/** @throws HttpProblem invalid_request, too_large */
function lengthOf({ headers }: FastifyRequest): number {
  const bytes = Number(headers['content-length'] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes))
    throw new HttpProblem('invalid_request', { detail: 'Content-Length is needed' });
  if (bytes > MAX_EVIDENCE_BYTES) throw new HttpProblem('too_large');
  return bytes;
}

/** Passes bytes on, and says so: `progress`. */
class Meter extends Transform {
  readonly #onBytes: (count: number) => void;

  constructor(onBytes: (count: number) => void) {
    super();
    this.#onBytes = onBytes;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: null, chunk: Buffer) => void,
  ): void {
    this.#onBytes(chunk.byteLength);
    this.emit('progress');
    done(null, chunk);
  }
}

/** @throws HttpProblem forbidden */
function assertMayHave(
  { type, scopes }: HubToken,
  { camera_id: camera, kind }: z.infer<typeof path>,
): void {
  if (type === 'ai_engine') throw forbidden('an ai_engine uploads evidence and does not read it');
  const needed = BELONGS_TO[kind];
  if (!isInScope(scopes.receive, needed))
    throw forbidden(`${needed} is not within the token's scope \`receive\``);
  if (!isInScope(scopes.cameras, camera))
    throw forbidden(`${camera} is not within the token's scope \`cameras\``);
}

function forbidden(detail: string): HttpProblem {
  return new HttpProblem('forbidden', { detail });
}

function problemOf({ code, message, retryAfterMs }: EvidenceFailure): HttpProblem {
  const isKnown = Object.hasOwn(FAILURES, code);
  const detail = isKnown ? message : `${code}: ${message}`;
  const headers =
    retryAfterMs === null ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) };
  return new HttpProblem((isKnown && FAILURES[code]) || 'edge_failed', { detail, headers });
}

/** What no header and no file system takes amiss. */
function fileName(kind: EvidenceKind, id: string): string {
  return `${id.replaceAll(/[^\w.-]/g, '_')}.${ENDINGS[EVIDENCE_TYPES[kind]]}`;
}
