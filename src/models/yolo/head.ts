import { ApexError } from '../../system/errors.ts';
import { type GraphView, intAttributeOf } from '../onnx/graph.ts';
import type { NodeProto } from '../onnx/proto.ts';
import { downsampling } from './downsampling.ts';
import { YOLO_STRIDES } from './inspect.ts';
import { BOX_BINS, BOX_CHANNELS } from './outputs.ts';

/** The head of one feature map: tensors [N,64,h,w] and [N,classes,h,w], both before any activation. */
export interface HeadLevel {
  stride: number;
  boxes: string;
  classes: string;
}

type Half = 'boxes' | 'classes';

function cannotCut(reason: string): never {
  throw new ApexError('MODEL_CANNOT_BE_CUT', `the detection head is not cut: ${reason}`);
}

const PASSING = new Set(['Identity', 'Cast']);

/** Steps back over nodes that hand a tensor on as it is. */
function source(view: GraphView, tensor: string | undefined): NodeProto | undefined {
  let found = view.producer(tensor);
  while (found !== undefined && PASSING.has(found.opType)) found = view.producer(found.input[0]);
  return found;
}

/** The nearest node of a type among everything a tensor is made from. */
function nearest(view: GraphView, tensor: string, opType: string): NodeProto | undefined {
  const seen = new Set<string>([tensor]);
  for (const name of seen) {
    const found = view.producer(name);
    if (found?.opType === opType) return found;
    for (const input of found?.input ?? []) seen.add(input);
  }
  return undefined;
}

/** Box logits [N,64,cells]: what the distance softmax reads, before it is split into sides and bins. */
function boxLogits(view: GraphView, decodedBoxes: string): string {
  const softmax = nearest(view, decodedBoxes, 'Softmax');
  if (softmax === undefined) cannotCut('no softmax over box distances was found');
  let tensor = softmax.input[0] ?? '';
  for (let step = view.producer(tensor); step !== undefined; step = view.producer(tensor)) {
    if (step.opType === 'Reshape') {
      const shape = view.intsOf(step.input[1]);
      if (shape !== null && (shape[1] !== 4 || shape[2] !== BOX_BINS)) {
        cannotCut(`box distances have the shape [${shape.join(',')}]`);
      }
      return step.input[0] ?? '';
    }
    if (step.opType !== 'Transpose' && !PASSING.has(step.opType)) break;
    tensor = step.input[0] ?? '';
  }
  return cannotCut('the softmax over box distances is not made in the usual way');
}

/** Steps from [N,channels,cells] over the split of boxes and classes; `half` is null where there is none. */
function beforeSplit(
  view: GraphView,
  tensor: string,
  wanted: Half,
): { joined: NodeProto | undefined; half: Half | null } {
  const step = source(view, tensor);
  if (step?.opType === 'Split') {
    const half = step.output[0] === tensor ? 'boxes' : 'classes';
    if (half !== wanted) cannotCut('boxes and classes are split in another order');
    return { joined: source(view, step.input[0]), half };
  }
  if (step?.opType === 'Slice') {
    const start = view.intsOf(step.input[1])?.[0];
    if (start !== (wanted === 'boxes' ? 0 : BOX_CHANNELS))
      cannotCut('boxes and classes are split in another order');
    return { joined: source(view, step.input[0]), half: wanted };
  }
  return { joined: step, half: null };
}

/** The 4-D tensor of one feature map behind its flattened form. */
function featureMap(view: GraphView, flat: string, half: Half | null): string {
  const reshape = source(view, flat);
  if (reshape?.opType !== 'Reshape') cannotCut('a feature map is not flattened by a Reshape');
  const tensor = reshape.input[0] ?? '';
  if (half === null) return tensor;
  const join = source(view, tensor);
  const axis = join === undefined ? undefined : intAttributeOf(join, 'axis');
  if (join?.opType !== 'Concat' || join.input.length !== 2 || (axis !== 1 && axis !== -3)) {
    cannotCut('boxes and classes of a feature map are not joined by a Concat');
  }
  return join.input[half === 'boxes' ? 0 : 1] ?? '';
}

function featureMaps(view: GraphView, logits: string, wanted: Half): string[] {
  const { joined, half } = beforeSplit(view, logits, wanted);
  const levels = YOLO_STRIDES.length;
  if (joined?.opType !== 'Concat' || joined.input.length !== levels) {
    cannotCut(`${wanted} are not joined from ${levels} feature maps`);
  }
  return joined.input.map((flat) => featureMap(view, flat, half));
}

/**
 * Finds the three box and three class feature maps of a YOLOv8 export by walking back from its output.
 *
 * Structure alone counts, so names and the export's version do not matter: the output joins decoded boxes and
 * the sigmoid of class logits; boxes come from a softmax over 16 distance bins; both are joined from one
 * flattened feature map per stride, apart or together with a split behind it.
 *
 * @param inputHeight the height in pixels that the graph was exported with
 * @throws ApexError MODEL_CANNOT_BE_CUT with what was found instead
 */
export function findHead(view: GraphView, outputName: string, inputHeight: number): HeadLevel[] {
  const join = source(view, outputName);
  if (join?.opType !== 'Concat' || join.input.length !== 2) {
    cannotCut('the output does not join boxes and class scores');
  }
  const [decodedBoxes = '', scores = ''] = join.input;
  const sigmoid = source(view, scores);
  if (sigmoid?.opType !== 'Sigmoid') cannotCut('class scores are not a sigmoid');
  const boxes = featureMaps(view, boxLogits(view, decodedBoxes), 'boxes');
  const classes = featureMaps(view, sigmoid.input[0] ?? '', 'classes');
  const strides = downsampling(view, inputHeight);
  return YOLO_STRIDES.map((stride, level) => {
    const found = { stride, boxes: boxes[level] ?? '', classes: classes[level] ?? '' };
    if (strides.get(found.boxes) !== stride || strides.get(found.classes) !== stride) {
      cannotCut(`feature map ${level} does not have stride ${stride}`);
    }
    return found;
  });
}
