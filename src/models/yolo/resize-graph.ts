import { type GraphView, intAttributeOf } from '../onnx/graph.ts';
import type { NodeProto } from '../onnx/proto.ts';
import { floatTensor, intTensor } from '../onnx/tensor.ts';
import { downsampling } from './downsampling.ts';
import { YOLO_STRIDES } from './inspect.ts';

interface Size {
  width: number;
  height: number;
}

/** A Reshape target for the new size, with the batch taken from the input (0 copies the dimension). */
function resizedShape(shape: readonly number[], from: Size, to: Size): number[] {
  const out = [...shape];
  if (out[0] === 1) out[0] = 0;
  const last = out.length - 1;
  for (const stride of YOLO_STRIDES) {
    const cells = (from.width / stride) * (from.height / stride);
    if (out[last] === cells && !out.includes(-1)) out[last] = -1;
    if (last === 3 && out[2] === from.height / stride && out[3] === from.width / stride) {
      out[2] = to.height / stride;
      out[3] = to.width / stride;
      break;
    }
  }
  return out;
}

function resizeReshape(view: GraphView, node: NodeProto, from: Size, to: Size): void {
  const shape = view.intsOf(node.input[1]);
  // With `allowzero` a 0 would mean an empty dimension instead of a copied one.
  if (shape === null || intAttributeOf(node, 'allowzero') === 1) return;
  node.input[1] = view.addInitializer(
    intTensor(`${node.output[0]}/shape`, resizedShape(shape, from, to)),
  );
}

/** Turns an enlargement to a fixed size into one by a factor, which holds for every size and batch. */
function resizeResize(view: GraphView, node: NodeProto, strides: Map<string, number>): void {
  if (view.intsOf(node.input[3])?.length !== 4) return;
  const before = strides.get(node.input[0] ?? '');
  const after = strides.get(node.output[0] ?? '');
  if (before === undefined || after === undefined) return;
  const factor = before / after;
  const scales = floatTensor(
    `${node.output[0]}/scales`,
    [4],
    Float32Array.of(1, 1, factor, factor),
  );
  node.input = [node.input[0] ?? '', node.input[1] ?? '', view.addInitializer(scales)];
}

/** Rewrites the constants of a graph that hold for one picture size and one frame a run. */
export function resizeGraph(view: GraphView, from: Size, to: Size): void {
  const strides = downsampling(view, from.height);
  for (const node of view.graph.node) {
    if (!strides.has(node.input[0] ?? '')) continue;
    if (node.opType === 'Reshape') resizeReshape(view, node, from, to);
    if (node.opType === 'Resize') resizeResize(view, node, strides);
  }
}
