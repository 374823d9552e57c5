import { type GraphView, intAttribute, node, valueInfo } from '../onnx/graph.ts';
import { TENSOR_FLOAT } from '../onnx/proto.ts';
import { intTensor } from '../onnx/tensor.ts';
import { BATCH } from './frame-input.ts';
import { cellCount } from './inspect.ts';

export const BOXES_OUTPUT = 'boxes';
export const SCORES_OUTPUT = 'scores';

/** Bins of each box side's distance distribution: YOLOv8's reg_max. */
export const BOX_BINS = 16;
/** Left, top, right and bottom. */
export const BOX_CHANNELS = 4 * BOX_BINS;

/**
 * Flattens one feature map per stride and joins them: three of [N,channels,h,w] to [N,channels,cells].
 *
 * @returns the name of the joined tensor
 */
export function joinLevels(
  view: GraphView,
  maps: readonly string[],
  channels: number,
  name: string,
): string {
  const shape = view.addInitializer(intTensor(`${name}/shape`, [0, channels, -1]));
  const flat = maps.map((map, level) => {
    view.graph.node.push(node('Reshape', [map, shape], `${name}/flat${level}`));
    return `${name}/flat${level}`;
  });
  view.graph.node.push(node('Concat', flat, `${name}/joined`, [intAttribute('axis', 2)]));
  return `${name}/joined`;
}

/** Declares the two outputs that the decoder reads, for any number of frames in one run. */
export function declareOutputs(
  view: GraphView,
  size: { width: number; height: number },
  classes: number,
): void {
  const cells = cellCount(size.width, size.height);
  view.graph.output = [
    valueInfo(BOXES_OUTPUT, TENSOR_FLOAT, [BATCH, BOX_CHANNELS, cells]),
    valueInfo(SCORES_OUTPUT, TENSOR_FLOAT, [BATCH, classes, cells]),
  ];
}
