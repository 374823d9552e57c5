import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { AlertPages } from './alert-pages.ts';
import { EventPages } from './event-pages.ts';
import { openJournalForReading } from './journal-file.ts';
import type { JournalThreadSettings, ReadAnswers, ReadCall, ToThread } from './requests.ts';
import { alertOf, eventOf, rowReaders } from './rows.ts';
import { summarize } from './summary.ts';
import { failed, tell } from './thread-side.ts';

/** Thread that reads the journal. `workerData`: `JournalThreadSettings`. */

class Readers {
  readonly #db: Database;
  readonly #events: EventPages;
  readonly #alerts: AlertPages;
  readonly #rows: ReturnType<typeof rowReaders>;

  constructor(dir: string) {
    this.#db = openJournalForReading(dir);
    this.#events = new EventPages(this.#db);
    this.#alerts = new AlertPages(this.#db);
    this.#rows = rowReaders(this.#db);
  }

  answer(call: Exclude<ReadCall, { op: 'reopen' }>): ReadAnswers[ReadCall['op']] {
    switch (call.op) {
      case 'page':
        return this.#events.page(call.query);
      case 'alertsPage':
        return this.#alerts.page(call.query);
      case 'summary':
        return summarize(this.#db, call.query);
      case 'one': {
        const row = this.#rows.event.get(call.eventId);
        return row === undefined ? null : eventOf(row);
      }
      case 'alert': {
        const row = this.#rows.alert.get(call.alertId);
        return row === undefined ? null : alertOf(row);
      }
    }
  }

  close(): void {
    this.#db.close();
  }
}

const { dir } = workerData as JournalThreadSettings;
let readers: Readers | null = null;

function close(): null {
  readers?.close();
  readers = null;
  return null;
}

function answer(call: ReadCall): ReadAnswers[ReadCall['op']] {
  if (call.op === 'reopen') return close();
  readers ??= new Readers(dir);
  return readers.answer(call);
}

const port = parentPort;
if (port === null) throw new Error('journal-read-worker runs as a worker thread');
port.on('message', (message: ToThread<ReadCall>) => {
  if (message.kind === 'close') {
    close();
    port.close();
    return;
  }
  const { id, call } = message;
  try {
    tell(port, { kind: 'done', id, answer: answer(call), error: null, news: null });
  } catch (error) {
    // The file may have been opened anew by its owner; so it is here.
    close();
    tell(port, failed(id, error, null));
  }
});
