import { GraphView, shapeOf } from '../models/onnx/graph.ts';
import { encodeModel, type ModelProto } from '../models/onnx/proto.ts';
import { ApexError } from '../system/errors.ts';
import type { Landmark } from './contract.ts';
import { takePicture } from './picture-input.ts';

/** Side of the grey picture of a face that the model takes, pixels. */
export const LANDMARK_SIDE = 64;
const POINTS = 68;

/**
 * A model of the 68 points of iBUG 300-W (https://ibug.doc.ic.ac.uk/resources/facial-point-annotations/), made to take
 * the bytes of a grey picture.
 * @param model is changed
 * @throws ApexError MODEL_NO_FACE_LANDMARKS
 */
export function prepareLandmarks(model: ModelProto): { bytes: Uint8Array; output: string } {
  const view = model.graph && new GraphView(model.graph);
  const [input] = view?.realInputs() ?? [];
  const [output] = model.graph?.output ?? [];
  const fits =
    input !== undefined &&
    output !== undefined &&
    shapeOf(input).join() === [1, 1, LANDMARK_SIDE, LANDMARK_SIDE].join() &&
    shapeOf(output).at(-1) === 2 * POINTS;
  if (view === undefined || !fits)
    throw new ApexError('MODEL_NO_FACE_LANDMARKS', 'the model does not give 68 points of a face');
  takePicture(view, input.name ?? '', {
    ...{ width: LANDMARK_SIDE, height: LANDMARK_SIDE, channels: 1 },
    ...{ order: 'rgb', mean: 0, scale: 1 / 256 },
  });
  return { bytes: encodeModel(model), output: output.name ?? '' };
}

/** Eyes, tip of the nose and corners of the mouth from 68 points. @param points x, y, x, y, … from 0 to 1 */
export function fiveOf(points: Float32Array): Landmark[] {
  const at = (index: number): Landmark => ({
    x: points[2 * index] as number,
    y: points[2 * index + 1] as number,
  });
  const middle = (from: number, to: number): Landmark => {
    const all = Array.from({ length: to - from + 1 }, (_, index) => at(from + index));
    return {
      x: all.reduce((sum, { x }) => sum + x, 0) / all.length,
      y: all.reduce((sum, { y }) => sum + y, 0) / all.length,
    };
  };
  return [middle(36, 41), middle(42, 47), at(30), at(48), at(54)];
}
