import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { ModelForm } from '../models/model-form.ts';
import { preparedModel } from '../models/prepared-model.ts';
import { TEST_DETECTOR } from '../models/test-detector.ts';
import { wrapYolo } from '../models/yolo/wrap.ts';
import type { BoundingBox } from '../protocol/detection.ts';
import { systemClock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { DetectorSession } from './detector-session.ts';
import { frameSize, letterbox } from './letterbox.ts';
import { modelLongSide, readModelFile } from './model-size.ts';
import { detectionsOf } from './objects.ts';
import { describeClip, type OfflineClip, offlineFrames } from './offline-frames.ts';

export interface OfflineRequest {
  /** Path of a YOLOv8 export, or `test-detector`. */
  model: string;
  /** A clip or an image. */
  input: string;
  /** Zero-based numbers in the order of decoding; null for all. */
  frames: readonly number[] | null;
  /** Lowest score to report, 0..1. */
  threshold: number;
  /** Runs the model as it was exported, instead of the form that cameras are watched with. */
  reference: boolean;
  /** Null for all. */
  labels?: readonly string[] | null;
  ffmpegPath: string;
  preparedDir: string;
}

export interface OfflineResult {
  frame: number;
  /** The clip ends before this frame, so nothing was looked at. */
  missing?: true;
  detections: ({ label: string; score: number } & BoundingBox)[];
}

interface Detector {
  form: ModelForm;
  file: string | Uint8Array;
}

/** A score of 0 would report every cell of the picture. */
const LOWEST_THRESHOLD = 0.001;

/**
 * Runs a detector on a clip or image, frame by frame, in the order of decoding. Frames that were asked for and do
 * not exist come last.
 *
 * @throws ApexError VISION_INPUT_UNREADABLE, MODEL_UNREADABLE, MODEL_NOT_YOLOV8, MODEL_LABELS_UNKNOWN,
 *   CAPTURE_FFMPEG_MISSING
 */
export async function* detectOffline(request: OfflineRequest): AsyncGenerator<OfflineResult> {
  const { input: path, ffmpegPath, frames } = request;
  await checkInput(path);
  const clip: OfflineClip = { ffmpegPath, path, clock: systemClock };
  const stream = await describeClip(clip);
  const { form, file } = await detectorFor(request, stream);
  const wanted = wantedLabels(form.labels, request.labels ?? null);
  const geometry = letterbox(stream, form);
  const session = await DetectorSession.load(form, file, {
    provider: 'cpu',
    threads: availableParallelism(),
    batch: 1,
  });
  const missing = new Set(frames);
  try {
    for await (const { frame, pixels } of offlineFrames({ ...clip, stream, geometry, frames })) {
      session.frame(0).set(pixels);
      const threshold = Math.max(LOWEST_THRESHOLD, request.threshold);
      const [objects = new Float32Array()] = await session.detect(1, threshold);
      const detections = detectionsOf(objects, geometry, form.labels)
        .filter(({ label }) => wanted.has(label))
        .map(({ label, score, box }) => ({ label, score, ...box }));
      missing.delete(frame);
      yield { frame, detections };
    }
    for (const frame of missing) yield { frame, missing: true, detections: [] };
  } finally {
    await session.release();
  }
}

async function checkInput(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return;
  const what = found === null ? 'does not exist' : 'is not a file';
  throw new ApexError('VISION_INPUT_UNREADABLE', `${path} ${what}`);
}

/** The export behind nodes that take bytes, at its own size; or its prepared form for the picture's shape. */
async function detectorFor(
  { model, preparedDir, labels = null, reference }: OfflineRequest,
  picture: { width: number; height: number },
): Promise<Detector> {
  if (reference && model !== TEST_DETECTOR) {
    const { bytes: file, ...form } = wrapYolo(await readModelFile(model));
    return { form, file };
  }
  const size = frameSize(picture, await modelLongSide(model));
  const form = await preparedModel({ model, preparedDir, labels, ...size });
  return { form, file: form.path };
}

function wantedLabels(known: readonly string[], wanted: readonly string[] | null): Set<string> {
  const unknown = wanted?.filter((label) => !known.includes(label)) ?? [];
  if (unknown.length > 0) {
    throw new ApexError('MODEL_LABELS_UNKNOWN', `the model has no class ${unknown.join(', ')}`);
  }
  return new Set(wanted ?? known);
}
