import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../system/atomic-file.ts';
import { ApexError } from '../system/errors.ts';
import { type Logger, silentLogger } from '../system/logger.ts';
import type { ModelFile, ModelForm } from './model-form.ts';
import { TEST_DETECTOR, testDetectorModel } from './test-detector.ts';
import { bestForm } from './yolo/best-form.ts';

/** Counts changes of what preparing does; files made by another version are made again. */
const FORM_VERSION = 1;

export interface PreparedModelSpec {
  /** Path of an installed YOLOv8 export, or `test-detector`. */
  model: string;
  /** Folder of the prepared forms; made when missing. */
  preparedDir: string;
  /** Frame size in pixels, multiples of 32. A wrapped model keeps its own size instead. */
  width: number;
  height: number;
  /** Labels to keep; null keeps all. */
  labels: readonly string[] | null;
  logger?: Logger;
}

/** A model on disk in the form that the vision process runs. */
export interface PreparedModel extends ModelForm {
  path: string;
}

const recordSchema = z.strictObject({
  /** Digest of the ONNX file beside the record. */
  sha256: z.string(),
  form: z.enum(['prepared', 'wrapped', 'test-detector']),
  formReason: z.string().nullable(),
  width: z.number(),
  height: z.number(),
  labels: z.array(z.string()),
  inputName: z.string(),
  outputs: z.array(z.string()),
  batch: z.union([z.number(), z.literal('any')]),
});

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readOriginal(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ApexError('MODEL_UNREADABLE', `cannot read the model ${path}`, { cause });
  }
}

function makeForm(spec: PreparedModelSpec, original: Uint8Array): ModelFile {
  if (spec.model === TEST_DETECTOR)
    return testDetectorModel({ width: spec.width, height: spec.height });
  return bestForm(original, spec);
}

/** The cached form, or the reason why there is none to use. */
async function readCached(path: string, recordPath: string): Promise<ModelForm | string> {
  let text: string;
  try {
    text = await readFile(recordPath, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : String(error);
  }
  try {
    const { sha256: expected, ...form } = recordSchema.parse(JSON.parse(text));
    return sha256(await readFile(path)) === expected ? form : 'its digest is wrong';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * The prepared form of a model, made on first use and kept under a name derived from the model's content, the
 * size, the labels and the version of the preparation. A cached file that is damaged is made again.
 *
 * Safe to call from several processes at once: files appear whole or not at all, and all make the same bytes.
 *
 * @throws ApexError MODEL_UNREADABLE, MODEL_NOT_YOLOV8, MODEL_LABELS_UNKNOWN, MODEL_CACHE_FAILED
 */
export async function preparedModel(spec: PreparedModelSpec): Promise<PreparedModel> {
  const original = spec.model === TEST_DETECTOR ? new Uint8Array() : await readOriginal(spec.model);
  const labels = spec.labels === null ? null : [...spec.labels].sort();
  const key = [
    FORM_VERSION,
    spec.model === TEST_DETECTOR,
    sha256(original),
    spec.width,
    spec.height,
    labels,
  ];
  const path = join(spec.preparedDir, `${sha256(JSON.stringify(key)).slice(0, 32)}.onnx`);
  const recordPath = `${path}.json`;
  const cached = await readCached(path, recordPath);
  if (typeof cached !== 'string') return { ...cached, path };
  if (cached !== 'missing') {
    (spec.logger ?? silentLogger).warn(
      { path, reason: cached },
      'prepared model is damaged, making it again',
    );
  }
  const { bytes, ...form } = makeForm(spec, original);
  try {
    await mkdir(spec.preparedDir, { recursive: true });
    // The record goes last: without it the model file does not count.
    await writeFileAtomically(path, bytes);
    await writeFileAtomically(recordPath, JSON.stringify({ sha256: sha256(bytes), ...form }));
  } catch (cause) {
    throw new ApexError(
      'MODEL_CACHE_FAILED',
      `cannot write the prepared model to ${spec.preparedDir}`,
      { cause },
    );
  }
  return { ...form, path };
}
