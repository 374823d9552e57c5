import { readFile } from 'node:fs/promises';
import { TEST_DETECTOR } from '../models/test-detector.ts';
import { inspectYolo } from '../models/yolo/inspect.ts';
import { ApexError } from '../system/errors.ts';

/** The usual size of YOLOv8 exports. */
const TEST_DETECTOR_LONG_SIDE = 640;

/** @throws ApexError MODEL_UNREADABLE */
export async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ApexError('MODEL_UNREADABLE', `cannot read the model ${path}`, { cause });
  }
}

/**
 * The long side of the frames, in pixels, that a model was made for.
 * @param model path of a YOLOv8 export, or `test-detector`
 * @throws ApexError MODEL_UNREADABLE, MODEL_NOT_YOLOV8
 */
export async function modelLongSide(model: string): Promise<number> {
  if (model === TEST_DETECTOR) return TEST_DETECTOR_LONG_SIDE;
  const { inputWidth, inputHeight } = inspectYolo(await readModelFile(model));
  return Math.max(inputWidth, inputHeight);
}
