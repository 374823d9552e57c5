import { type GraphView, intsAttributeOf } from '../onnx/graph.ts';
import type { NodeProto } from '../onnx/proto.ts';

const STRIDED = new Set(['Conv', 'ConvInteger', 'QLinearConv', 'MaxPool', 'AveragePool']);
const RESIZING = new Set(['Resize', 'Upsample']);

/** Enlargement of a Resize by constant scales; undefined when it names a target size instead. */
function enlargement(view: GraphView, node: NodeProto): number | undefined {
  return node.input
    .slice(1)
    .map((name) => view.floatsOf(name))
    .find((scales) => scales?.length === 4)?.[2];
}

/** Stride of a Resize to a constant size, from the height the graph was exported with. */
function strideOfTarget(view: GraphView, node: NodeProto, inputHeight: number): number | undefined {
  const height = view.intsOf(node.input[3])?.[2];
  return height === undefined ? undefined : inputHeight / height;
}

/**
 * How many input pixels one step in each tensor spans, for every tensor made from the picture.
 *
 * @param inputHeight the height in pixels that the graph was exported with
 */
export function downsampling(view: GraphView, inputHeight: number): Map<string, number> {
  const strides = new Map(view.realInputs().map((info) => [info.name ?? '', 1]));
  // ONNX lists nodes in the order they can run in, so every input has been seen.
  for (const node of view.graph.node) {
    const base = node.input.map((name) => strides.get(name)).find((stride) => stride !== undefined);
    if (base === undefined) continue;
    let stride: number | undefined = base;
    if (STRIDED.has(node.opType)) stride = base * (intsAttributeOf(node, 'strides')?.[0] ?? 1);
    if (RESIZING.has(node.opType)) {
      const factor = enlargement(view, node);
      stride = factor === undefined ? strideOfTarget(view, node, inputHeight) : base / factor;
    }
    if (stride === undefined) continue;
    for (const output of node.output) strides.set(output, stride);
  }
  return strides;
}
