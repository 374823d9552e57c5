import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-file.ts';
import type { Clock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { readImportIndex, writeImportIndex } from './import-index.ts';
import type { ModelFile } from './model-form.ts';
import { trialRun } from './trial-run.ts';
import { bestForm } from './yolo/best-form.ts';
import { inspectYolo } from './yolo/inspect.ts';

export interface ImportResult {
  name: string;
  path: string;
  labels: readonly string[];
  inputWidth: number;
  inputHeight: number;
  /** The form it runs in, and why not the faster one. */
  form: ModelFile['form'];
  formReason: string | null;
  /** An earlier import of this name was replaced. */
  replaced: boolean;
}

const FOLDER = 'imported';

async function readExport(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ApexError('MODEL_UNREADABLE', `cannot read ${path}`, { cause });
  }
}

/**
 * Checks a user's YOLOv8 export, runs it once, and keeps a copy with an entry in the import index.
 *
 * @param to models folder, and the name to keep the model under
 * @throws ApexError MODEL_UNREADABLE, MODEL_NOT_YOLOV8, MODEL_DOES_NOT_RUN, MODEL_INDEX_DAMAGED
 */
export async function importModel(
  path: string,
  to: { dir: string; name: string },
  clock: Clock,
): Promise<ImportResult> {
  const bytes = await readExport(path);
  const { labels, inputWidth, inputHeight } = inspectYolo(bytes);
  const model = bestForm(bytes, { width: inputWidth, height: inputHeight, labels: null });
  await trialRun(model);
  const { dir, name } = to;
  const models = readImportIndex(dir);
  const replaced = Object.hasOwn(models, name);
  const file = join(FOLDER, `${name}.onnx`);
  await mkdir(join(dir, FOLDER), { recursive: true });
  await writeFileAtomically(join(dir, file), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const importedAt = new Date(clock.wallMs()).toISOString();
  models[name] = { file, sha256, size: bytes.length, labels, importedAt };
  await writeImportIndex(dir, models);
  const { form, formReason } = model;
  return {
    name,
    path: join(dir, file),
    labels,
    inputWidth,
    inputHeight,
    form,
    formReason,
    replaced,
  };
}
