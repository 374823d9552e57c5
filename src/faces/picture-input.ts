import {
  type GraphView,
  intAttribute,
  intsAttribute,
  node,
  valueInfo,
} from '../models/onnx/graph.ts';
import { TENSOR_FLOAT, TENSOR_UINT8 } from '../models/onnx/proto.ts';
import { floatTensor, intTensor } from '../models/onnx/tensor.ts';

/** Name of the input that replaces a model's own: uint8 [1,height,width,channels], interleaved. */
export const PICTURE = 'apex/picture';

/**
 * Lets a model take the bytes of a picture in place of scaled planes of floats, so that no pixel is touched outside
 * the graph.
 * @param to `scale` and `mean` as in (value - mean) * scale; `order` of the model's channels
 */
export function takePicture(
  view: GraphView,
  inputName: string,
  to: {
    readonly width: number;
    readonly height: number;
    readonly channels: 1 | 3;
    readonly order: 'rgb' | 'bgr';
    readonly mean: number;
    readonly scale: number;
  },
): void {
  const planes = to.order === 'bgr' ? [2, 1, 0] : [0, 1, 2];
  const order = view.addInitializer(intTensor(`${PICTURE}/order`, planes.slice(0, to.channels)));
  const mean = view.addInitializer(floatTensor(`${PICTURE}/mean`, [], Float32Array.of(to.mean)));
  const scale = view.addInitializer(floatTensor(`${PICTURE}/scale`, [], Float32Array.of(to.scale)));
  view.graph.node.unshift(
    node('Transpose', [PICTURE], `${PICTURE}/planes`, [intsAttribute('perm', [0, 3, 1, 2])]),
    node('Cast', [`${PICTURE}/planes`], `${PICTURE}/float`, [intAttribute('to', TENSOR_FLOAT)]),
    node('Gather', [`${PICTURE}/float`, order], `${PICTURE}/ordered`, [intAttribute('axis', 1)]),
    node('Sub', [`${PICTURE}/ordered`, mean], `${PICTURE}/centred`),
    node('Mul', [`${PICTURE}/centred`, scale], inputName),
  );
  const weights = view.graph.input.filter(({ name }) => name !== inputName);
  const shape = [1, to.height, to.width, to.channels];
  view.graph.input = [valueInfo(PICTURE, TENSOR_UINT8, shape), ...weights];
}
