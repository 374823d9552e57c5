import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { GraphView, shapeOf } from '../models/onnx/graph.ts';
import { decodeModel, type ModelProto } from '../models/onnx/proto.ts';
import { ApexError } from '../system/errors.ts';
import { alignerModel } from './alignment/aligner-model.ts';
import { FACE_SIDE } from './alignment/similarity.ts';
import { prepareDetector } from './detector/prepare-detector.ts';
import { FaceEngine } from './face-engine.ts';
import { prepareLandmarks } from './landmark-model.ts';
import { DEFAULT_GATE, type FaceGate } from './quality.ts';

export interface FaceEngineOptions {
  /** Paths of installed models. */
  readonly detector: string;
  readonly embedding: string;
  /** For a detector that finds no landmarks; else null. */
  readonly landmarks: string | null;
  /** Side of the square that a picture is scaled down to for detection, pixels. */
  readonly side: number;
  readonly gate?: FaceGate;
  /** As ONNX Runtime names them. */
  readonly executionProviders: readonly string[];
  readonly threads: number;
}

/** ONNX Runtime's severity `error`. */
const LOG_ERRORS = 3;

/**
 * Loads the models of a set.
 * @throws ApexError MODEL_UNREADABLE, MODEL_NO_FACE_DETECTOR, MODEL_NO_FACE_LANDMARKS, MODEL_NO_FACE_EMBEDDING; Error
 *   with ONNX Runtime's text when the provider cannot run one of them
 */
export async function openFaceEngine(options: FaceEngineOptions): Promise<FaceEngine> {
  const { detector, embedding, landmarks, side, gate = DEFAULT_GATE } = options;
  const prepared = prepareDetector(await readModel(detector), side);
  const points = landmarks === null ? null : prepareLandmarks(await readModel(landmarks));
  if (!prepared.adapter.findsLandmarks && points === null) {
    throw new ApexError(
      'MODEL_NO_FACE_LANDMARKS',
      `${prepared.adapter.name} finds no landmarks, and no model for them is configured`,
    );
  }
  const embeddingModel = await readModel(embedding);
  checkEmbedding(embeddingModel, embedding);
  // Loaded here because the native library is large, and most commands need none of it.
  const ort = await import('onnxruntime-node');
  const load = (model: Uint8Array | string, executionProviders = options.executionProviders) =>
    open(ort.InferenceSession.create, model, { ...options, executionProviders });
  return new FaceEngine(
    {
      detector: await load(prepared.bytes),
      prepared,
      landmarks: points && { session: await load(points.bytes), output: points.output },
      // Pictures of every size go through it, which TensorRT would build an engine for each.
      aligner: await load(alignerModel(), ['cpu']),
      embedding: await load(embedding),
      Tensor: ort.Tensor,
    },
    basename(embedding, '.onnx'),
    gate,
  );
}

function open(
  create: typeof InferenceSession.create,
  model: Uint8Array | string,
  { executionProviders, threads }: Pick<FaceEngineOptions, 'executionProviders' | 'threads'>,
): Promise<InferenceSession> {
  const settings: InferenceSession.SessionOptions = {
    executionProviders,
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: LOG_ERRORS,
    // Threads that spin while they wait for the next run take the cores from the decoders.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
  return typeof model === 'string' ? create(model, settings) : create(model, settings);
}

async function readModel(path: string): Promise<ModelProto> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ApexError('MODEL_UNREADABLE', `cannot read the model ${path}`, { cause });
  }
  try {
    return decodeModel(bytes);
  } catch (cause) {
    throw new ApexError('MODEL_UNREADABLE', `${path} is no ONNX model`, { cause });
  }
}

function checkEmbedding({ graph }: ModelProto, path: string): void {
  const inputs = graph === undefined ? [] : new GraphView(graph).realInputs();
  const [input] = inputs;
  const shape = input === undefined ? [] : shapeOf(input);
  const fits = inputs.length === 1 && shape.slice(1).join() === [3, FACE_SIDE, FACE_SIDE].join();
  if (fits && graph?.output.length === 1) return;
  const found = `takes [${shape.join(',')}] and has ${graph?.output.length ?? 0} outputs`;
  throw new ApexError('MODEL_NO_FACE_EMBEDDING', `${path} ${found}`);
}
