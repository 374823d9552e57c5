import type { MessagePort } from 'node:worker_threads';
import { isDamage } from '../store/file/damage.ts';
import type { Logger } from '../system/logger.ts';
import { relayedLogger } from '../system/relayed-logger.ts';
import { journalError } from './journal-file.ts';
import type { FromThread, WriterNews } from './requests.ts';

/** What both threads of the journal tell the daemon. */

export function tell(port: MessagePort, message: FromThread): void {
  port.postMessage(message);
}

export function failed(id: number, error: unknown, news: WriterNews | null): FromThread {
  const { code, message } = journalError(error);
  const answer = { code, message, isDamage: isDamage(error) };
  return { kind: 'done', id, answer: null, error: answer, news };
}

export function logTo(port: MessagePort): Logger {
  return relayedLogger((level, fields, event) =>
    tell(port, { kind: 'log', level, fields: plain(fields), event }),
  );
}

/** An error of SQLite does not go from thread to thread as it is. */
function plain(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? value.message : value,
    ]),
  );
}
