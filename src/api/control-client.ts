import { request } from 'node:http';
import { ApexError } from '../system/errors.ts';
import { controlSocketPath } from './control-socket.ts';

const TIMEOUT_MS = 3000;

/** Asks the daemon that owns this data folder for its status. Throws API_NOT_RUNNING when none answers. */
export function fetchStatus(dataDir: string): Promise<unknown> {
  const socketPath = controlSocketPath(dataDir);
  return new Promise((resolve, reject) => {
    const unreachable = (cause: unknown): void => reject(unreachableError(socketPath, cause));
    const call = request({ socketPath, path: '/status', timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else
          reject(new ApexError('API_STATUS_FAILED', `the daemon has no status to give: ${text}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    call.on('error', unreachable);
    call.end();
  });
}

function unreachableError(socketPath: string, cause: unknown): ApexError {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'EACCES'
    ? new ApexError('API_NOT_ALLOWED', `this user may not use ${socketPath}`, { cause })
    : new ApexError('API_NOT_RUNNING', `no daemon answers on ${socketPath}`, { cause });
}
