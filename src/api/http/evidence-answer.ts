import type { FileHandle } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EvidenceClass } from '../../evidence/evidence-files.ts';
import type { LocalBox } from '../local-box.ts';
import { type ByteRange, rangeOf } from './byte-range.ts';
import { ApiProblem } from './problem.ts';

export interface EvidenceOrder {
  readonly kind: EvidenceClass;
  readonly cameraId: string;
  /** Of the event, or of the alert. */
  readonly id: string;
}

interface Exchange {
  readonly evidence: LocalBox['evidence'];
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** A clip may take a while yet. */
const CLIP_RETRY_S = '5';

/**
 * Sends a file of evidence, or a part of it. It may be deleted any time, and is never changed but for a better picture.
 * @throws ApiProblem not_found, not_yet, range_not_satisfiable
 */
export async function sendEvidence(
  { kind, cameraId, id }: EvidenceOrder,
  { evidence, request, reply }: Exchange,
): Promise<FastifyReply> {
  const isClip = kind === 'clip';
  if (isClip && evidence.isAwaited(cameraId, id))
    throw new ApiProblem('not_yet', {
      detail: 'the clip is still being recorded',
      headers: { 'Retry-After': CLIP_RETRY_S },
    });
  const file = await evidence.open(kind, cameraId, id);
  if (file === null) throw new ApiProblem('not_found', { detail: `no ${kind} is kept` });
  try {
    const { size, mtimeMs } = await file.stat();
    const etag = `"${Math.round(mtimeMs).toString(36)}-${size.toString(36)}"`;
    // A person may be forgotten: what a browser keeps has to be asked after each time.
    void reply.headers({ ETag: etag, 'Cache-Control': 'private, no-cache' });
    if (request.headers['if-none-match'] === etag) {
      await file.close();
      return reply.code(304).send();
    }
    void reply.type(isClip ? 'video/mp4' : 'image/jpeg').header('Accept-Ranges', 'bytes');
    return reply.send(body(file, partOf(request, etag, size), { size, reply }));
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** @throws ApiProblem range_not_satisfiable */
function partOf({ headers }: FastifyRequest, etag: string, size: number): ByteRange | null {
  const { range, 'if-range': ifRange } = headers;
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return null;
  const part = rangeOf(range, size);
  if (part !== 'unsatisfiable') return part;
  throw new ApiProblem('range_not_satisfiable', {
    headers: { 'Content-Range': `bytes */${size}` },
  });
}

function body(
  file: FileHandle,
  part: ByteRange | null,
  { size, reply }: { readonly size: number; readonly reply: FastifyReply },
) {
  const { first, last } = part ?? { first: 0, last: size - 1 };
  if (part !== null) void reply.code(206).header('Content-Range', `bytes ${first}-${last}/${size}`);
  void reply.header('Content-Length', last - first + 1);
  return file.createReadStream({ start: first, end: Math.max(first, last) });
}
