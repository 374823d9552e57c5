import {
  intAttribute,
  intsAttribute,
  node,
  stringAttribute,
  valueInfo,
} from '../../models/onnx/graph.ts';
import { encodeModel, TENSOR_FLOAT, TENSOR_UINT8 } from '../../models/onnx/proto.ts';
import { floatTensor, intTensor } from '../../models/onnx/tensor.ts';
import { FACE_SIDE } from './similarity.ts';

/** uint8 [height,width,3], interleaved RGB. */
export const PICTURE_INPUT = 'picture';
/** float [3,2]: from (x, y, 1) in pixels of the aligned face to places in the picture, -1..1 from edge to edge. */
export const PLACE_INPUT = 'place';
/** float [1,3,112,112], RGB, (value - 127.5) / 128. */
export const FACE_OUTPUT = 'face';
/** float [1,1,1,1]: variance of the Laplacian of the grey face, grey 0..255. */
export const SHARPNESS_OUTPUT = 'sharpness';

/** GridSample came with this one. */
const OPSET = 16;
const IR_VERSION = 8;
/** ITU-R BT.601, as everybody's grey. */
const GREY = [0.299, 0.587, 0.114];
const LAPLACIAN = [0, 1, 0, 1, -4, 1, 0, 1, 0];

/** Every pixel of an aligned face as x, y, 1. */
function pixelPlaces(): Float32Array {
  const places = new Float32Array(FACE_SIDE * FACE_SIDE * 3);
  for (let index = 0; index < FACE_SIDE * FACE_SIDE; index++)
    places.set([index % FACE_SIDE, Math.floor(index / FACE_SIDE), 1], 3 * index);
  return places;
}

/** An ONNX model that cuts a face upright out of a picture, and measures how sharp it is. */
export function alignerModel(): Uint8Array {
  const side = FACE_SIDE;
  return encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: [],
    graph: {
      name: 'aligner',
      input: [
        valueInfo(PICTURE_INPUT, TENSOR_UINT8, ['height', 'width', 3]),
        valueInfo(PLACE_INPUT, TENSOR_FLOAT, [3, 2]),
      ],
      output: [
        valueInfo(FACE_OUTPUT, TENSOR_FLOAT, [1, 3, side, side]),
        valueInfo(SHARPNESS_OUTPUT, TENSOR_FLOAT, [1, 1, 1, 1]),
      ],
      initializer: [
        floatTensor('pixels', [side * side, 3], pixelPlaces()),
        intTensor('grid_shape', [1, side, side, 2]),
        intTensor('first', [0]),
        floatTensor('middle', [1], Float32Array.of(127.5)),
        floatTensor('scale', [1], Float32Array.of(1 / 128)),
        floatTensor('grey', [1, 3, 1, 1], Float32Array.from(GREY)),
        floatTensor('laplacian', [1, 1, 3, 3], Float32Array.from(LAPLACIAN)),
      ],
      valueInfo: [],
      node: [
        node('Cast', [PICTURE_INPUT], 'float', [intAttribute('to', TENSOR_FLOAT)]),
        node('Transpose', ['float'], 'planes', [intsAttribute('perm', [2, 0, 1])]),
        node('Unsqueeze', ['planes', 'first'], 'image'),
        node('MatMul', ['pixels', PLACE_INPUT], 'places'),
        node('Reshape', ['places', 'grid_shape'], 'grid'),
        node('GridSample', ['image', 'grid'], 'sampled', [
          stringAttribute('mode', 'bilinear'),
          stringAttribute('padding_mode', 'zeros'),
          intAttribute('align_corners', 0),
        ]),
        node('Sub', ['sampled', 'middle'], 'centred'),
        node('Mul', ['centred', 'scale'], FACE_OUTPUT),
        node('Conv', ['sampled', 'grey'], 'grey_face'),
        node('Conv', ['grey_face', 'laplacian'], 'edges'),
        node('ReduceMean', ['edges'], 'mean', [intsAttribute('axes', [1, 2, 3])]),
        node('Sub', ['edges', 'mean'], 'deviation'),
        node('Mul', ['deviation', 'deviation'], 'squared'),
        node('ReduceMean', ['squared'], SHARPNESS_OUTPUT, [intsAttribute('axes', [1, 2, 3])]),
      ],
    },
  });
}
