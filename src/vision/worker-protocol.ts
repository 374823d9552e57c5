import type { ModelGeometry } from '../capture/contract.ts';
import type { PreparedModel } from '../models/prepared-model.ts';
import type { Detection, ExecutionProvider } from './contract.ts';

/** What the vision process's main thread and its inference workers say to each other. */

export interface WorkerFrame {
  memory: SharedArrayBuffer;
  offset: number;
  length: number;
  geometry: ModelGeometry;
  minScore: number;
}

export type ToWorker =
  | {
      kind: 'open';
      model: PreparedModel;
      providers: readonly ExecutionProvider[];
      excluded: readonly { provider: ExecutionProvider; reason: string }[];
      threads: number;
    }
  | { kind: 'run'; model: PreparedModel; frames: readonly WorkerFrame[] }
  /** Ends the thread once the run in flight is over: ending it from outside would abort the process. */
  | { kind: 'end' };

export type FromWorker =
  | { kind: 'trying'; provider: ExecutionProvider }
  | {
      kind: 'opened';
      provider: ExecutionProvider;
      inferenceMs: number;
      refused: readonly { provider: ExecutionProvider; reason: string }[];
    }
  | { kind: 'open-failed'; error: { code: string; message: string; remedy: string } }
  | { kind: 'detections'; detections: readonly (readonly Detection[])[]; inferenceMs: number }
  | { kind: 'run-failed'; message: string };
