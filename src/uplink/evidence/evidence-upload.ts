import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { EVIDENCE_UPLOAD_PATH } from '../../protocol/evidence-request.ts';
import { ApexError } from '../../system/errors.ts';
import type { Credential } from '../link/credentials.ts';
import { connectOptions } from '../link/tls.ts';
import type { OutgoingEvidence } from './evidence-source.ts';

/** A hub or a network that takes no byte for so long is gone. */
const STALL_MS = 30_000;

export interface UploadOptions {
  /** `ws://` or `wss://` address of the hub. */
  readonly hubUrl: string;
  readonly credential: Credential;
  readonly requestId: string;
}

/**
 * Uploads a file over a connection of its own, so that no alert waits behind it.
 * @throws ApexError EVIDENCE_UPLOAD_FAILED
 */
export async function uploadEvidence(
  { body, bytes, ended }: OutgoingEvidence,
  { hubUrl, credential, requestId }: UploadOptions,
): Promise<void> {
  const url = uploadUrl(hubUrl, requestId);
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    ...connectOptions(credential.tls),
    method: 'PUT',
    agent: false,
    timeout: STALL_MS,
    headers: {
      Authorization: `Bearer ${credential.token}`,
      'Content-Type': 'application/octet-stream',
      'Content-Length': bytes,
    },
  });
  request.on('timeout', () => request.destroy(new Error(`nothing moved for ${STALL_MS / 1000} s`)));
  let sent = 0;
  let isTaken = false;
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      sent += chunk.byteLength;
      yield chunk;
    }
  }
  try {
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
    });
    // The hub may say no before it has everything.
    const [answer] = await Promise.all([answered, pipeline(body, counted, request)]);
    answer.resume();
    if (answer.statusCode !== 204) throw new Error(`the hub answered HTTP ${answer.statusCode}`);
    isTaken = true;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApexError('EVIDENCE_UPLOAD_FAILED', reason, { cause });
  } finally {
    body.destroy();
    request.destroy();
    ended(sent, isTaken);
  }
}

/** Beside the address of the WebSocket. */
function uploadUrl(hubUrl: string, requestId: string): URL {
  const url = new URL(EVIDENCE_UPLOAD_PATH + encodeURIComponent(requestId), hubUrl);
  url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
  return url;
}
