import { request } from 'node:http';
import type { ForgetReport } from '../people/forgetter.ts';
import { ApexError } from '../system/errors.ts';
import { controlSocketPath } from './control-socket.ts';
import type { DeadLetterView, EdgeStatus } from './edge-status.ts';

const TIMEOUT_MS = 3000;
/** Actions may read and write large files through. */
const ACTION_TIMEOUT_MS = 10 * 60_000;
export const FORGET_PATH = '/people/forget';

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

/**
 * Has the daemon forget a person.
 * @throws ApexError as `ask` does, PEOPLE_UNKNOWN, PEOPLE_FORGETTING
 */
export async function requestForget(dataDir: string, personId: string): Promise<ForgetReport> {
  const input = JSON.stringify({ person_id: personId });
  return JSON.parse(await ask(dataDir, FORGET_PATH, input)) as ForgetReport;
}

/** @param input of an action, JSON; none for a page @throws ApexError API_NOT_RUNNING, API_NOT_ALLOWED, API_STATUS_FAILED */
function ask(dataDir: string, path: string, input?: string): Promise<string> {
  const socketPath = controlSocketPath(dataDir);
  const timeout = input === undefined ? TIMEOUT_MS : ACTION_TIMEOUT_MS;
  const method = input === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method, timeout }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(refusalOf(response.statusCode, text));
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeout} ms`)));
    call.on('error', (cause) => reject(unreachableError(socketPath, cause)));
    call.end(input);
  });
}

function refusalOf(status: number | undefined, text: string): ApexError {
  if (status !== 422)
    return new ApexError('API_STATUS_FAILED', `the daemon has no answer: ${text}`);
  const { code, message, remedy } = JSON.parse(text) as ReturnType<ApexError['toJSON']>;
  return new ApexError(code, message, { remedy });
}

function unreachableError(socketPath: string, cause: unknown): ApexError {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'EACCES'
    ? new ApexError('API_NOT_ALLOWED', `this user may not use ${socketPath}`, { cause })
    : new ApexError('API_NOT_RUNNING', `no daemon answers on ${socketPath}`, { cause });
}
