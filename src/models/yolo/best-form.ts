import { ApexError } from '../../system/errors.ts';
import type { ModelFile } from '../model-form.ts';
import { type PrepareOptions, prepareYolo } from './prepare.ts';
import { wrapYolo } from './wrap.ts';

/**
 * The prepared form of a YOLOv8 export, or the wrapped one with the reason where its head cannot be cut.
 *
 * @throws ApexError MODEL_UNREADABLE, MODEL_NOT_YOLOV8, MODEL_LABELS_UNKNOWN
 */
export function bestForm(bytes: Uint8Array, options: PrepareOptions): ModelFile {
  try {
    return prepareYolo(bytes, options);
  } catch (error) {
    if (!(error instanceof ApexError) || error.code !== 'MODEL_CANNOT_BE_CUT') throw error;
    return wrapYolo(bytes, error.message);
  }
}
