import type { ModelFile } from './model-form.ts';
import { GraphView, intAttribute, intsAttribute, node, valueInfo } from './onnx/graph.ts';
import { encodeModel, type GraphProto, TENSOR_FLOAT, TENSOR_UINT8 } from './onnx/proto.ts';
import { floatTensor, intTensor } from './onnx/tensor.ts';
import { TEST_SCENE } from './test-scene.ts';
import { BATCH, FRAME_INPUT } from './yolo/frame-input.ts';
import {
  BOX_BINS,
  BOX_CHANNELS,
  BOXES_OUTPUT,
  declareOutputs,
  joinLevels,
  SCORES_OUTPUT,
} from './yolo/outputs.ts';

/** Name under which configuration and commands ask for the built-in test detector. */
export const TEST_DETECTOR = 'test-detector';

/** Objects are found on the finest feature map; the coarser ones only have the shape that a decoder expects. */
const STRIDE = 8;
const IR_VERSION = 8;
const OPSET = 13;
/** Cells around the object that must be free of its colour, so that larger areas do not count. */
const MARGIN = 2.5;
/** Cells around the object over which its centre is measured: more than the half cell it can be off. */
const REACH = 1;
/** Filter response (1 for a perfect match) where the score leaves 0 and where it reaches 1. */
const RESPONSE_ZERO = 0.4;
const RESPONSE_ONE = 0.7;
/** Share of the colour (1 for pure magenta) where a pixel starts to count and where it counts fully. */
const COLOUR_ZERO = 0.75;
const COLOUR_ONE = 0.95;

interface Size {
  width: number;
  height: number;
}

/** Length that a cell at `offset` shares with an interval around cell 0; both in cells. */
function overlap(offset: number, halfLength: number): number {
  const from = Math.max(offset - 0.5, -halfLength);
  const to = Math.min(offset + 0.5, halfLength);
  return Math.max(0, to - from);
}

/**
 * Filters [4,1,kh,kw] over the colour's coverage of cells: match of the object's rectangle (1 for a perfect
 * one, less for colour around it), and the coverage's sum, its moment in x and its moment in y.
 */
function objectFilters(
  halfWidth: number,
  halfHeight: number,
): { values: Float32Array; reach: [number, number] } {
  const reach: [number, number] = [Math.ceil(halfHeight + MARGIN), Math.ceil(halfWidth + MARGIN)];
  const area = 4 * halfWidth * halfHeight;
  const filters: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let row = -reach[0]; row <= reach[0]; row++) {
    for (let column = -reach[1]; column <= reach[1]; column++) {
      const inside = overlap(column, halfWidth) * overlap(row, halfHeight);
      const around =
        overlap(column, halfWidth + MARGIN) * overlap(row, halfHeight + MARGIN) - inside;
      const measured = overlap(column, halfWidth + REACH) * overlap(row, halfHeight + REACH);
      filters[0].push((inside - around) / area);
      filters[1].push(measured);
      filters[2].push(measured * column);
      filters[3].push(measured * row);
    }
  }
  return { values: Float32Array.from(filters.flat()), reach };
}

/**
 * Turns an offset of the object's centre (x, y in cells) into the logits of its four side distances.
 *
 * A decoder takes the mean of softmax(logits) over the bins 0..15. Logits -(bin - d)^2 have the mean d, and
 * up to a term that softmax ignores they are 2*bin*d - bin^2: linear in d, so one convolution makes them.
 */
function sideLogits(
  halfWidth: number,
  halfHeight: number,
): { weights: Float32Array; bias: Float32Array } {
  const sides = [
    { distance: halfWidth, x: -1, y: 0 },
    { distance: halfHeight, x: 0, y: -1 },
    { distance: halfWidth, x: 1, y: 0 },
    { distance: halfHeight, x: 0, y: 1 },
  ];
  const weights: number[] = [];
  const bias: number[] = [];
  for (const { distance, x, y } of sides) {
    for (let bin = 0; bin < BOX_BINS; bin++) {
      weights.push(2 * bin * x, 2 * bin * y);
      bias.push(2 * bin * distance - bin * bin);
    }
  }
  return { weights: Float32Array.from(weights), bias: Float32Array.from(bias) };
}

class Network {
  readonly view: GraphView;

  constructor(graph: GraphProto) {
    this.view = new GraphView(graph);
  }

  floats(name: string, dims: readonly number[], values: readonly number[] | Float32Array): string {
    return this.view.addInitializer(floatTensor(name, dims, Float32Array.from(values)));
  }

  add(...parameters: Parameters<typeof node>): string {
    this.view.graph.node.push(node(...parameters));
    return parameters[2];
  }

  clip(input: string, output: string, low: number, high: number): string {
    const bounds = [
      this.floats(`${output}/low`, [], [low]),
      this.floats(`${output}/high`, [], [high]),
    ];
    return this.add('Clip', [input, ...bounds], output);
  }

  pool(
    opType: 'AveragePool' | 'MaxPool',
    input: string,
    output: string,
    size: number,
    stride: number,
  ): string {
    const pad = stride === 1 ? (size - 1) / 2 : 0;
    return this.add(opType, [input], output, [
      intsAttribute('kernel_shape', [size, size]),
      intsAttribute('strides', [stride, stride]),
      intsAttribute('pads', [pad, pad, pad, pad]),
    ]);
  }
}

/** Share [N,1,h,w] of each cell that has the object's colour. */
function colourCoverage(net: Network): string {
  const gain = 1 / (COLOUR_ONE - COLOUR_ZERO);
  const perByte = gain / 255;
  const weights = net.floats('colour/weights', [1, 3, 1, 1], [-perByte, perByte / 2, perByte / 2]);
  const bias = net.floats('colour/bias', [1], [-COLOUR_ZERO * gain]);
  net.add('Cast', [FRAME_INPUT], 'pixels', [intAttribute('to', TENSOR_FLOAT)]);
  net.add('Conv', ['pixels', weights, bias], 'colour');
  net.clip('colour', 'mask', 0, 1);
  return net.pool('AveragePool', 'mask', 'coverage', STRIDE, STRIDE);
}

/** Scores [N,1,h,w]: the response of the filter, at its strongest cell only. */
function scoreMap(net: Network, response: string, { width, height }: Size): string {
  const cells = [height / STRIDE, width / STRIDE] as const;
  const count = cells[0] * cells[1];
  // An object midway between cells responds equally in both; the ramp lets one of them win.
  const ramp = Float32Array.from({ length: count }, (_, cell) => (0.01 * cell) / count);
  net.add('Add', [response, net.floats('ramp', [1, 1, ...cells], ramp)], 'ranked');
  net.pool('MaxPool', 'ranked', 'strongest', 7, 1);
  net.add('Equal', ['ranked', 'strongest'], 'isStrongest');
  net.add('Cast', ['isStrongest'], 'peak', [intAttribute('to', TENSOR_FLOAT)]);
  const gain = 1 / (RESPONSE_ONE - RESPONSE_ZERO);
  net.add('Mul', [response, net.floats('gain', [], [gain])], 'amplified');
  net.add('Sub', ['amplified', net.floats('zero', [], [RESPONSE_ZERO * gain])], 'shifted');
  net.clip('shifted', 'score', 0, 1);
  return net.add('Mul', ['score', 'peak'], 'scores8');
}

/** Box logits [N,64,h,w] of an object of the known size whose centre is measured. */
function boxMap(net: Network, half: { width: number; height: number }): string {
  net.clip('sum', 'mass', 1, Number.MAX_SAFE_INTEGER);
  net.add('Concat', ['momentX', 'momentY'], 'moments', [intAttribute('axis', 1)]);
  net.add('Div', ['moments', 'mass'], 'centre');
  net.clip('centre', 'offset', -1, 1);
  const { weights, bias } = sideLogits(half.width, half.height);
  return net.add(
    'Conv',
    [
      'offset',
      net.floats('sides/weights', [BOX_CHANNELS, 2, 1, 1], weights),
      net.floats('sides/bias', [BOX_CHANNELS], bias),
    ],
    'boxes8',
  );
}

/** A feature map that finds nothing, at a coarser stride. */
function emptyLevel(net: Network, stride: 16 | 32): { scores: string; boxes: string } {
  const coarse = net.pool(
    'AveragePool',
    'coverage',
    `coverage${stride}`,
    stride / STRIDE,
    stride / STRIDE,
  );
  const none = net.floats(`none${stride}`, [BOX_CHANNELS, 1, 1, 1], new Float32Array(BOX_CHANNELS));
  return {
    scores: net.add('Mul', [coarse, net.floats(`never${stride}`, [], [0])], `scores${stride}`),
    boxes: net.add('Conv', [coarse, none], `boxes${stride}`),
  };
}

function addFilters(net: Network, half: { width: number; height: number }): void {
  const { values, reach } = objectFilters(half.width, half.height);
  const kernel = [2 * reach[0] + 1, 2 * reach[1] + 1];
  net.add('Conv', ['coverage', net.floats('filters', [4, 1, ...kernel], values)], 'filtered', [
    intsAttribute('pads', [...reach, ...reach]),
  ]);
  const parts = net.view.addInitializer(intTensor('parts', [1, 1, 1, 1]));
  const split = node('Split', ['filtered', parts], 'match', [intAttribute('axis', 1)]);
  split.output = ['match', 'sum', 'momentX', 'momentY'];
  net.view.graph.node.push(split);
}

/**
 * Builds the test detector: a small network that finds the test scene's objects and nothing else, with the
 * input and outputs of a prepared YOLOv8 of one class, so that the whole pipeline runs without any weights.
 *
 * It expects the scene to fill the width of the frame.
 *
 * @param size frame in pixels, multiples of 32
 */
export function testDetectorModel(size: Size): ModelFile {
  const graph: GraphProto = {
    name: TEST_DETECTOR,
    node: [],
    initializer: [],
    input: [valueInfo(FRAME_INPUT, TENSOR_UINT8, [BATCH, 3, size.height, size.width])],
    output: [],
    valueInfo: [],
  };
  const net = new Network(graph);
  const perCell = size.width / STRIDE / 2;
  const half = {
    width: TEST_SCENE.objectWidth * perCell,
    height: TEST_SCENE.objectHeight * perCell,
  };
  colourCoverage(net);
  addFilters(net, half);
  const levels = [
    { scores: scoreMap(net, 'match', size), boxes: boxMap(net, half) },
    emptyLevel(net, 16),
    emptyLevel(net, 32),
  ];
  const boxes = joinLevels(
    net.view,
    levels.map((level) => level.boxes),
    BOX_CHANNELS,
    BOXES_OUTPUT,
  );
  const scores = joinLevels(
    net.view,
    levels.map((level) => level.scores),
    1,
    SCORES_OUTPUT,
  );
  net.add('Identity', [boxes], BOXES_OUTPUT);
  net.add('Identity', [scores], SCORES_OUTPUT);
  declareOutputs(net.view, size, 1);
  return {
    bytes: encodeModel({
      irVersion: IR_VERSION,
      producerName: 'apex-edge',
      graph,
      opsetImport: [{ domain: '', version: OPSET }],
      metadataProps: [],
    }),
    form: 'test-detector',
    formReason: null,
    ...size,
    labels: [TEST_SCENE.label],
    inputName: FRAME_INPUT,
    outputs: [BOXES_OUTPUT, SCORES_OUTPUT],
    batch: 'any',
  };
}
