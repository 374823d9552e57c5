import { ApexError } from '../../system/errors.ts';
import type { ModelFile } from '../model-form.ts';
import { GraphView, intAttribute, node } from '../onnx/graph.ts';
import { encodeModel, type GraphProto, TENSOR_FLOAT, TENSOR_FLOAT16 } from '../onnx/proto.ts';
import { intTensor, selectRows } from '../onnx/tensor.ts';
import { BATCH, FRAME_INPUT, takeFrames } from './frame-input.ts';
import { findHead, type HeadLevel } from './head.ts';
import { inspectModel, readModel, type YoloFacts } from './inspect.ts';
import {
  BOX_CHANNELS,
  BOXES_OUTPUT,
  declareOutputs,
  joinLevels,
  SCORES_OUTPUT,
} from './outputs.ts';
import { resizeGraph } from './resize-graph.ts';

export interface PrepareOptions {
  /** Frame size in pixels, multiples of 32. */
  width: number;
  height: number;
  /** Labels to keep; null keeps all. Labels that the model does not know are left out. */
  labels: readonly string[] | null;
}

/** Class numbers to keep, in the model's order. */
function keptClasses(labels: readonly string[], wanted: readonly string[] | null): number[] {
  const all = labels.map((_, index) => index);
  if (wanted === null) return all;
  const kept = all.filter((index) => wanted.includes(labels[index] ?? ''));
  if (kept.length > 0) return kept;
  throw new ApexError(
    'MODEL_LABELS_UNKNOWN',
    `the model knows none of the labels ${wanted.join(', ')}`,
    { remedy: `Choose from the model's labels: ${labels.join(', ')}.` },
  );
}

/** Class logits of the kept classes only: a smaller last convolution, or a selection behind any other layer. */
function pruneClasses(view: GraphView, tensor: string, kept: readonly number[]): string {
  const conv = view.producer(tensor);
  if (conv?.opType === 'Conv' && view.consumers(tensor).length === 1) {
    const parameters = conv.input.slice(1).map((name, index) => {
      const source = view.constant(name);
      return source && selectRows(source, kept, `${tensor}/kept${index}`);
    });
    if (parameters.every((parameter) => parameter != null)) {
      conv.input = [conv.input[0] ?? '', ...parameters.map((each) => view.addInitializer(each))];
      return tensor;
    }
  }
  const rows = view.addInitializer(intTensor(`${tensor}/rows`, kept));
  view.graph.node.push(node('Gather', [tensor, rows], `${tensor}/kept`, [intAttribute('axis', 1)]));
  return `${tensor}/kept`;
}

function usesHalfPrecision(graph: GraphProto): boolean {
  return graph.initializer.some((tensor) => tensor.dataType === TENSOR_FLOAT16);
}

/** Replaces everything behind the feature maps by the two outputs that the decoder reads. */
function attachOutputs(
  view: GraphView,
  head: readonly HeadLevel[],
  kept: readonly number[],
  all: number,
): void {
  const classMaps = head.map(({ classes }) =>
    kept.length === all ? classes : pruneClasses(view, classes, kept),
  );
  const boxes = joinLevels(
    view,
    head.map((level) => level.boxes),
    BOX_CHANNELS,
    BOXES_OUTPUT,
  );
  const classes = joinLevels(view, classMaps, kept.length, SCORES_OUTPUT);
  view.graph.node.push(node('Sigmoid', [classes], `${SCORES_OUTPUT}/sigmoid`));
  const last = usesHalfPrecision(view.graph)
    ? { op: 'Cast', attributes: [intAttribute('to', TENSOR_FLOAT)] }
    : { op: 'Identity', attributes: [] };
  view.graph.node.push(
    node(last.op, [boxes], BOXES_OUTPUT, last.attributes),
    node(last.op, [`${SCORES_OUTPUT}/sigmoid`], SCORES_OUTPUT, last.attributes),
  );
}

function checkSize({ width, height }: PrepareOptions): void {
  if (width > 0 && height > 0 && width % 32 === 0 && height % 32 === 0) return;
  throw new RangeError(`a frame of ${width}x${height} is not a multiple of 32 in both directions`);
}

/**
 * Rewrites a YOLOv8 export for the pipeline: frames of bytes in (any number in one run), box logits and class
 * scores out, at a rectangular size of our choice, with the classes nobody wants cut away.
 *
 * Boxes are decoded outside, for the few cells above the threshold, so the anchors that the export carries for
 * its own size do not matter.
 *
 * @throws ApexError MODEL_UNREADABLE, MODEL_NOT_YOLOV8, MODEL_LABELS_UNKNOWN, or MODEL_CANNOT_BE_CUT when the
 *   detection head is not made in the usual way (`wrapYolo` then still works)
 */
export function prepareYolo(bytes: Uint8Array, options: PrepareOptions): ModelFile {
  checkSize(options);
  const model = readModel(bytes);
  const facts: YoloFacts = inspectModel(model);
  const kept = keptClasses(facts.labels, options.labels);
  const graph = model.graph as GraphProto;
  const view = new GraphView(graph);
  const head = findHead(view, facts.outputName, facts.inputHeight);
  const exported = { width: facts.inputWidth, height: facts.inputHeight };
  resizeGraph(view, exported, options);
  attachOutputs(view, head, kept, facts.classes);
  const shape = [BATCH, 3, options.height, options.width];
  takeFrames(view, { name: facts.inputName, precision: facts.precision }, { shape, fold: true });
  declareOutputs(view, options, kept.length);
  new GraphView(graph).removeUnused();
  return {
    bytes: encodeModel(model),
    form: 'prepared',
    formReason: null,
    width: options.width,
    height: options.height,
    labels: kept.map((index) => facts.labels[index] ?? ''),
    inputName: FRAME_INPUT,
    outputs: [BOXES_OUTPUT, SCORES_OUTPUT],
    batch: 'any',
  };
}
