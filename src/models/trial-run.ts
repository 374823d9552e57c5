import { ApexError } from '../system/errors.ts';
import type { ModelFile } from './model-form.ts';

/** What a padded letterbox is filled with; any constant picture would do. */
const GREY = 114;

/**
 * Loads a model on the CPU and runs it once on a grey frame, so that a file that cannot run is refused when it
 * is imported and not when a camera needs it. Takes seconds for large models and blocks the calling thread.
 *
 * @throws ApexError MODEL_DOES_NOT_RUN
 */
export async function trialRun(model: ModelFile): Promise<void> {
  // Loaded here because the native library is large, and most commands need none of it.
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const frames = model.batch === 'any' ? 1 : model.batch;
  const pixels = new Uint8Array(frames * 3 * model.height * model.width).fill(GREY);
  const dims = [frames, 3, model.height, model.width];
  try {
    const session = await InferenceSession.create(model.bytes, { executionProviders: ['cpu'] });
    const results = await session.run({ [model.inputName]: new Tensor('uint8', pixels, dims) });
    for (const name of model.outputs) {
      const values = results[name]?.data;
      if (!(values instanceof Float32Array) || !values.every(Number.isFinite)) {
        throw new Error(`the output ${name} is not made of finite numbers`);
      }
    }
    await session.release();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApexError('MODEL_DOES_NOT_RUN', `the model does not run: ${reason}`, { cause });
  }
}
