import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { EventPages } from './event-pages.ts';
import { HistoryDatabase } from './history-database.ts';
import type { HistoryPage, HistoryQuery } from './history-query.ts';
import { openForReading } from './reading-connection.ts';
import type { EventPage, ReadEvents } from './requests.ts';
import { HUB_FILE } from './schema.ts';

/** Thread that reads the hub's file. `workerData`: {dataDir}. Takes one `ReadCall` at a time, answers each. */

export type ReadCall =
  | { readonly op: 'history'; readonly query: HistoryQuery }
  | { readonly op: 'follow'; readonly read: ReadEvents };

export interface ReadAnswers {
  history: HistoryPage;
  follow: EventPage;
}

export type ReadReply =
  | { readonly ok: true; readonly answer: ReadAnswers[ReadCall['op']] }
  | { readonly ok: false; readonly message: string };

class Readers {
  readonly #db: Database;
  readonly #history: HistoryDatabase;
  readonly #events: EventPages;

  constructor() {
    this.#db = openForReading(join(dataDir, HUB_FILE));
    this.#history = new HistoryDatabase(this.#db);
    this.#events = new EventPages(this.#db);
  }

  answer(call: ReadCall): ReadAnswers[ReadCall['op']] {
    return call.op === 'history' ? this.#history.page(call.query) : this.#events.page(call.read);
  }

  close(): void {
    this.#db.close();
  }
}

const { dataDir } = workerData as { dataDir: string };
let readers: Readers | undefined;

function reply(call: ReadCall): ReadReply {
  try {
    readers ??= new Readers();
    return { ok: true, answer: readers.answer(call) };
  } catch (error) {
    // The file may have been opened anew by its owner; so it is here.
    readers?.close();
    readers = undefined;
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (call: ReadCall | 'close') => {
  if (call !== 'close') return parentPort?.postMessage(reply(call));
  readers?.close();
  parentPort?.close();
});
