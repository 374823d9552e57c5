import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { HistoryDatabase } from './history-database.ts';
import type { HistoryPage, HistoryQuery } from './history-query.ts';
import { HUB_FILE } from './schema.ts';

/** Thread that reads history. `workerData`: {dataDir}. Takes one `HistoryQuery` at a time, answers each. */

export type HistoryAnswer =
  | { readonly ok: true; readonly page: HistoryPage }
  | { readonly ok: false; readonly message: string };

const { dataDir } = workerData as { dataDir: string };
let database: HistoryDatabase | undefined;

function answer(query: HistoryQuery): HistoryAnswer {
  try {
    database ??= new HistoryDatabase(join(dataDir, HUB_FILE));
    return { ok: true, page: database.page(query) };
  } catch (error) {
    // The file may have been opened anew by its owner; so it is here.
    database?.close();
    database = undefined;
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (query: HistoryQuery | 'close') => {
  if (query !== 'close') return parentPort?.postMessage(answer(query));
  database?.close();
  parentPort?.close();
});
