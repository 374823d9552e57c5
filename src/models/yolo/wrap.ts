import type { ModelFile } from '../model-form.ts';
import { GraphView, intAttribute, node, shapeOf, valueInfo } from '../onnx/graph.ts';
import { encodeModel, type GraphProto, TENSOR_FLOAT } from '../onnx/proto.ts';
import { FRAME_INPUT, takeFrames } from './frame-input.ts';
import { inspectModel, readModel } from './inspect.ts';

/**
 * Lets any YOLOv8 export take frames of bytes at its own size, by nodes in front of it; the rest of the graph
 * stays as it is. All labels and the export's own output [N, 4 + classes, cells] remain.
 *
 * @param reason why the model is not prepared, for the status
 * @throws ApexError MODEL_UNREADABLE, MODEL_NOT_YOLOV8
 */
export function wrapYolo(bytes: Uint8Array, reason: string | null = null): ModelFile {
  const model = readModel(bytes);
  const facts = inspectModel(model);
  const graph = model.graph as GraphProto;
  const view = new GraphView(graph);
  const batch = facts.batch === 'any' ? 'batch' : facts.batch;
  const shape = [batch, 3, facts.inputHeight, facts.inputWidth];
  takeFrames(view, { name: facts.inputName, precision: facts.precision }, { shape, fold: false });
  let output = facts.outputName;
  if (facts.precision === 'float16') {
    const dims = graph.output.flatMap(shapeOf);
    output = `${facts.outputName}/float`;
    graph.node.push(node('Cast', [facts.outputName], output, [intAttribute('to', TENSOR_FLOAT)]));
    graph.output = [valueInfo(output, TENSOR_FLOAT, dims)];
  }
  return {
    bytes: encodeModel(model),
    form: 'wrapped',
    formReason: reason,
    width: facts.inputWidth,
    height: facts.inputHeight,
    labels: facts.labels,
    inputName: FRAME_INPUT,
    outputs: [output],
    batch: facts.batch,
  };
}
