import { ApexError } from '../../system/errors.ts';
import { type Dim, GraphView, shapeOf } from '../onnx/graph.ts';
import {
  decodeModel,
  type ModelProto,
  TENSOR_FLOAT,
  TENSOR_FLOAT16,
  type ValueInfoProto,
} from '../onnx/proto.ts';
import { parseClassNames } from './class-names.ts';

/** Strides of YOLOv8's three feature maps, in pixels, in the order of its output. */
export const YOLO_STRIDES = [8, 16, 32] as const;
const SMALLEST_INPUT = 320;
const LARGEST_INPUT = 1280;
const EXPECTED =
  'expected one input float [1,3,H,W] with H and W multiples of 32 from 320 to 1280, and one output ' +
  '[1,4+classes,anchors] with one anchor per cell of strides 8, 16 and 32';

export interface YoloFacts {
  /** By class number. */
  labels: string[];
  classes: number;
  inputWidth: number;
  inputHeight: number;
  inputName: string;
  outputName: string;
  /** The export takes any picture size, so the size above is its habit, not its limit. */
  dynamicSize: boolean;
  /** Frames in one run that the export was made for; `any` when it leaves that open. */
  batch: number | 'any';
  /** float16 exports take and give half precision. */
  precision: 'float32' | 'float16';
}

/** Cells of all three feature maps for a picture of this size in pixels. */
export function cellCount(width: number, height: number): number {
  return YOLO_STRIDES.reduce((sum, stride) => sum + (width / stride) * (height / stride), 0);
}

function refuse(found: string): never {
  throw new ApexError('MODEL_NOT_YOLOV8', `not a YOLOv8 detector: ${found}; ${EXPECTED}`);
}

function describe(infos: readonly ValueInfoProto[]): string {
  if (infos.length === 0) return 'none';
  return infos.map((info) => `${info.name} [${shapeOf(info).join(',')}]`).join(', ');
}

/** @throws ApexError MODEL_UNREADABLE when the bytes are not an ONNX file */
export function readModel(bytes: Uint8Array): ModelProto {
  try {
    const model = decodeModel(bytes);
    if (model.graph !== undefined && model.graph.node.length > 0) return model;
  } catch (error) {
    throw new ApexError('MODEL_UNREADABLE', 'the file is not an ONNX model', { cause: error });
  }
  throw new ApexError('MODEL_UNREADABLE', 'the file holds no ONNX graph');
}

function metadata(model: ModelProto, key: string): string | undefined {
  return model.metadataProps.find((entry) => entry.key === key)?.value;
}

/** The picture size [height, width] that an export with open sizes was made with. */
function habitualSize(model: ModelProto): [number, number] {
  const imgsz = metadata(model, 'imgsz')?.match(/\d+/g)?.map(Number) ?? [];
  const [height = 640, width = height] = imgsz;
  return [height, width];
}

function isUsableSize(size: number): boolean {
  return size >= SMALLEST_INPUT && size <= LARGEST_INPUT && size % 32 === 0;
}

interface InputFacts {
  info: ValueInfoProto;
  width: number;
  height: number;
  dynamicSize: boolean;
  precision: 'float32' | 'float16';
}

function inspectInput(model: ModelProto, inputs: readonly ValueInfoProto[]): InputFacts {
  const [info] = inputs;
  if (info === undefined || inputs.length !== 1) refuse(`found the inputs ${describe(inputs)}`);
  const shape = shapeOf(info);
  const elemType = info.type?.tensor?.elemType;
  const precision = elemType === TENSOR_FLOAT16 ? 'float16' : 'float32';
  if (elemType !== TENSOR_FLOAT && elemType !== TENSOR_FLOAT16) {
    refuse(`found the input ${describe(inputs)} of element type ${elemType}`);
  }
  if (shape.length !== 4 || shape[1] !== 3) refuse(`found the input ${describe(inputs)}`);
  const [habitHeight, habitWidth] = habitualSize(model);
  const [, , height, width] = shape;
  const facts = {
    info,
    height: typeof height === 'number' ? height : habitHeight,
    width: typeof width === 'number' ? width : habitWidth,
    dynamicSize: typeof height === 'string' && typeof width === 'string',
    precision,
  } as const;
  if (!isUsableSize(facts.width) || !isUsableSize(facts.height)) {
    refuse(`found the input ${describe(inputs)}`);
  }
  return facts;
}

function inspectOutput(outputs: readonly ValueInfoProto[], input: InputFacts): number {
  const found = `found the outputs ${describe(outputs)}`;
  const [info] = outputs;
  if (info === undefined || outputs.length !== 1) refuse(found);
  const [, channels, anchors] = shapeOf(info);
  if (shapeOf(info).length !== 3 || typeof channels !== 'number') refuse(found);
  const cells = cellCount(input.width, input.height);
  if (typeof anchors === 'number' && anchors !== cells) {
    refuse(`${found}, and an input of ${input.width}x${input.height} has ${cells} anchors`);
  }
  if (channels < 5) refuse(found);
  return channels - 4;
}

function classLabels(model: ModelProto, classes: number): string[] {
  const task = metadata(model, 'task');
  if (task !== undefined && task !== 'detect') refuse(`its metadata names the task ${task}`);
  const text = metadata(model, 'names');
  if (text === undefined) return Array.from({ length: classes }, (_, index) => `class_${index}`);
  const labels = parseClassNames(text);
  if (labels === null) refuse('its metadata `names` is not a list of class names');
  if (labels.length !== classes) {
    refuse(`its metadata names ${labels.length} classes and its output has ${classes}`);
  }
  return labels;
}

function batchOf(dim: Dim | undefined): number | 'any' {
  return typeof dim === 'number' ? dim : 'any';
}

export function inspectModel(model: ModelProto): YoloFacts {
  const { graph } = model;
  if (graph === undefined) refuse('found no graph');
  if (graph.initializer.some((tensor) => tensor.dataLocation === 1)) {
    refuse('its weights are in another file');
  }
  const input = inspectInput(model, new GraphView(graph).realInputs());
  const classes = inspectOutput(graph.output, input);
  return {
    labels: classLabels(model, classes),
    classes,
    inputWidth: input.width,
    inputHeight: input.height,
    inputName: input.info.name ?? '',
    outputName: graph.output[0]?.name ?? '',
    dynamicSize: input.dynamicSize,
    batch: batchOf(shapeOf(input.info)[0]),
    precision: input.precision,
  };
}

/**
 * What a YOLOv8 export says of itself: class names and sizes from its own metadata and shapes.
 *
 * @throws ApexError MODEL_UNREADABLE, or MODEL_NOT_YOLOV8 with what was found and what is expected
 */
export function inspectYolo(bytes: Uint8Array): YoloFacts {
  return inspectModel(readModel(bytes));
}
