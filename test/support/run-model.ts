import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelFile } from '../../src/models/model-form.ts';

type Outputs = Record<string, { dims: readonly number[]; data: Float32Array }>;

async function run(model: Uint8Array | string, input: string, tensor: Tensor): Promise<Outputs> {
  const options = { executionProviders: ['cpu'], intraOpNumThreads: 1 };
  const session =
    typeof model === 'string'
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  const results = await session.run({ [input]: tensor });
  await session.release();
  return results as unknown as Outputs;
}

/** Runs a prepared, wrapped or test model on planar G, B, R frames lying one behind the other. */
export function runOnFrames(model: ModelFile, frames: Uint8Array): Promise<Outputs> {
  const { width, height } = model;
  const count = frames.length / (3 * width * height);
  return run(model.bytes, model.inputName, new Tensor('uint8', frames, [count, 3, height, width]));
}

/** Runs an export as its makers mean it: float RGB in 0..1, from the same planar G, B, R frame. */
export function runOriginal(
  bytes: Uint8Array,
  input: string,
  frame: Uint8Array,
  { width, height }: { width: number; height: number },
): Promise<Outputs> {
  const plane = width * height;
  const rgb = new Float32Array(3 * plane);
  [2, 0, 1].forEach((from, to) => {
    for (let i = 0; i < plane; i++) rgb[to * plane + i] = frame[from * plane + i]! / 255;
  });
  return run(bytes, input, new Tensor('float32', rgb, [1, 3, height, width]));
}

/** A frame with structure in every channel, the same every time. */
export function patternFrame(width: number, height: number): Uint8Array {
  const frame = new Uint8Array(3 * width * height);
  for (let i = 0; i < frame.length; i++) {
    frame[i] = ((Math.imul(i, 2654435761) >>> 26) + ((i % width) >> 1) + (i >> 11)) & 255;
  }
  return frame;
}
