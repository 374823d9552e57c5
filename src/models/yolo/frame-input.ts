import {
  type Dim,
  type GraphView,
  intAttribute,
  intAttributeOf,
  node,
  valueInfo,
} from '../onnx/graph.ts';
import { type NodeProto, TENSOR_FLOAT, TENSOR_FLOAT16, TENSOR_UINT8 } from '../onnx/proto.ts';
import { floatTensor, floatValues, intTensor } from '../onnx/tensor.ts';

/** Name of the uint8 input [batch,3,H,W] that prepared and wrapped models share: planes G, B, R of 0..255. */
export const FRAME_INPUT = 'frame';
/** Name of the open batch dimension. */
export const BATCH = 'batch';

const PIXEL_SCALE = 1 / 255;
/** Plane of a G,B,R frame that holds red, green and blue. */
const PLANE_OF_RGB = [2, 0, 1] as const;
/** Channel (0 red, 1 green, 2 blue) that each plane of a G,B,R frame holds. */
const RGB_OF_PLANE = [1, 2, 0] as const;

/** First-layer weights for G,B,R bytes instead of RGB in 0..1; null when the layer is not a float convolution. */
function foldedWeights(view: GraphView, conv: NodeProto): Float32Array | null {
  const weights = view.constant(conv.input[1]);
  if (conv.opType !== 'Conv' || weights === undefined || weights.dims[1] !== 3) return null;
  if ((intAttributeOf(conv, 'group') ?? 1) !== 1) return null;
  const values = floatValues(weights);
  if (values === null) return null;
  const [filters = 0, , kernelHeight = 1, kernelWidth = 1] = weights.dims;
  const kernel = kernelHeight * kernelWidth;
  const out = new Float32Array(values.length);
  for (let filter = 0; filter < filters; filter++) {
    RGB_OF_PLANE.forEach((channel, plane) => {
      const from = (filter * 3 + channel) * kernel;
      const to = (filter * 3 + plane) * kernel;
      for (let k = 0; k < kernel; k++)
        out[to + k] = Math.fround(values[from + k] as number) * PIXEL_SCALE;
    });
  }
  return out;
}

/** Folds scale and channel order into the layer that reads the picture. False when it cannot. */
function foldIntoFirstLayer(view: GraphView, inputName: string): boolean {
  const readers = view.consumers(inputName);
  const [conv] = readers;
  if (conv === undefined || readers.length !== 1) return false;
  const values = foldedWeights(view, conv);
  const dims = view.constant(conv.input[1])?.dims;
  if (values === null || dims === undefined) return false;
  conv.input[1] = view.addInitializer(floatTensor(`${FRAME_INPUT}/weights`, dims, values));
  view.graph.node.unshift(
    node('Cast', [FRAME_INPUT], inputName, [intAttribute('to', TENSOR_FLOAT)]),
  );
  return true;
}

function convertInGraph(
  view: GraphView,
  inputName: string,
  precision: 'float32' | 'float16',
): void {
  const planes = view.addInitializer(intTensor(`${FRAME_INPUT}/planes`, PLANE_OF_RGB));
  const scale = view.addInitializer(
    floatTensor(`${FRAME_INPUT}/scale`, [], Float32Array.of(PIXEL_SCALE)),
  );
  const names = [`${FRAME_INPUT}/float`, `${FRAME_INPUT}/rgb`, `${FRAME_INPUT}/scaled`] as const;
  const to = precision === 'float16' ? TENSOR_FLOAT16 : TENSOR_FLOAT;
  view.graph.node.unshift(
    node('Cast', [FRAME_INPUT], names[0], [intAttribute('to', TENSOR_FLOAT)]),
    node('Gather', [names[0], planes], names[1], [intAttribute('axis', 1)]),
    node('Mul', [names[1], scale], names[2]),
    node('Cast', [names[2]], inputName, [intAttribute('to', to)]),
  );
}

/**
 * Replaces a graph's RGB float picture by the frame as ffmpeg's `gbrp` delivers it, so that no pixel is touched
 * outside the graph. Scale and channel order go into the first layer's weights where `fold` allows and the
 * layer is a float32 convolution, else into nodes of their own.
 */
export function takeFrames(
  view: GraphView,
  input: { name: string; precision: 'float32' | 'float16' },
  options: { shape: readonly Dim[]; fold: boolean },
): void {
  if (!(options.fold && foldIntoFirstLayer(view, input.name))) {
    convertInGraph(view, input.name, input.precision);
  }
  const weights = view.graph.input.filter((info) => info.name !== input.name);
  view.graph.input = [valueInfo(FRAME_INPUT, TENSOR_UINT8, options.shape), ...weights];
}
