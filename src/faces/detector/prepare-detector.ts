import { GraphView, shapeOf } from '../../models/onnx/graph.ts';
import { encodeModel, type ModelProto } from '../../models/onnx/proto.ts';
import { ApexError } from '../../system/errors.ts';
import { takePicture } from '../picture-input.ts';
import type { DetectorAdapter } from './detector-adapter.ts';
import { scrfd } from './scrfd.ts';
import { ultraLight } from './ultra-light.ts';
import { yunet } from './yunet.ts';

const ADAPTERS: readonly DetectorAdapter[] = [yunet, ultraLight, scrfd];

/** A face detector that takes the bytes of a picture of one size. */
export interface PreparedDetector {
  readonly bytes: Uint8Array;
  readonly adapter: DetectorAdapter;
  readonly width: number;
  readonly height: number;
  readonly outputs: readonly string[];
}

/**
 * @param model is changed
 * @param side of the square input, pixels; for a model whose size is open
 * @throws ApexError MODEL_NO_FACE_DETECTOR
 */
export function prepareDetector(model: ModelProto, side: number): PreparedDetector {
  const { graph } = model;
  const view = graph && new GraphView(graph);
  const inputs = view?.realInputs() ?? [];
  const outputs = new Map(graph?.output.map((info) => [info.name ?? '', shapeOf(info)]));
  const adapter = ADAPTERS.find((candidate) => candidate.recognises({ outputs }));
  const [input] = inputs;
  const shape = input && shapeOf(input);
  if (!view || !adapter || inputs.length !== 1 || !input || shape?.[1] !== 3) {
    const found = [...outputs].map(([name, dims]) => `${name} [${dims.join(',')}]`).join(', ');
    throw new ApexError(
      'MODEL_NO_FACE_DETECTOR',
      `the model has ${inputs.length} inputs and gives ${found || 'nothing'}`,
    );
  }
  const sized = (size: number | string | undefined): number =>
    typeof size === 'number'
      ? size
      : Math.ceil(side / adapter.input.multiple) * adapter.input.multiple;
  const [height, width] = [sized(shape[2]), sized(shape[3])];
  takePicture(view, input.name ?? '', { ...adapter.input, width, height, channels: 3 });
  return { bytes: encodeModel(model), adapter, width, height, outputs: [...outputs.keys()] };
}
