import { request } from 'node:http';
import { ApexError } from '../system/errors.ts';
import { controlSocketPath } from './control-socket.ts';
import type { DeadLetterView, EdgeStatus } from './edge-status.ts';

const TIMEOUT_MS = 3000;

/** What the daemon that owns this data folder says of itself. @throws ApexError as `ask` does */
export async function fetchStatus(dataDir: string): Promise<EdgeStatus> {
  return JSON.parse(await ask(dataDir, '/status')) as EdgeStatus;
}

/** The newest messages that are not sent again. @throws ApexError as `ask` does */
export async function fetchDeadLetters(dataDir: string): Promise<DeadLetterView[]> {
  return JSON.parse(await ask(dataDir, '/dead-letters')) as DeadLetterView[];
}

/** Prometheus text. @throws ApexError as `ask` does */
export function fetchMetrics(dataDir: string): Promise<string> {
  return ask(dataDir, '/metrics');
}

/** @throws ApexError API_NOT_RUNNING, API_NOT_ALLOWED, API_STATUS_FAILED */
function ask(dataDir: string, path: string): Promise<string> {
  const socketPath = controlSocketPath(dataDir);
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(new ApexError('API_STATUS_FAILED', `the daemon has no answer: ${text}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    call.on('error', (cause) => reject(unreachableError(socketPath, cause)));
    call.end();
  });
}

function unreachableError(socketPath: string, cause: unknown): ApexError {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'EACCES'
    ? new ApexError('API_NOT_ALLOWED', `this user may not use ${socketPath}`, { cause })
    : new ApexError('API_NOT_RUNNING', `no daemon answers on ${socketPath}`, { cause });
}
