import type { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import {
  FACE_OUTPUT,
  PICTURE_INPUT,
  PLACE_INPUT,
  SHARPNESS_OUTPUT,
} from './alignment/aligner-model.ts';
import { FACE_SIDE, FACE_TEMPLATE, similarityBetween } from './alignment/similarity.ts';
import type { FaceReader, FaceSample, Landmark, RgbPicture } from './contract.ts';
import { distinctFaces, type FaceCandidate } from './detector/candidate.ts';
import type { PreparedDetector } from './detector/prepare-detector.ts';
import { fiveOf, LANDMARK_SIDE } from './landmark-model.ts';
import { PICTURE } from './picture-input.ts';
import { poseOf } from './pose.ts';
import { doubtOf, type FaceGate, qualityOf } from './quality.ts';

/** Faces of one picture that are looked at closely. */
const MOST_FACES = 16;

/** Small pictures are made larger for the detector: it places the landmarks of small faces badly. */
const MOST_ENLARGED = 2;

/** Sessions of the models of one set. */
export interface FaceSessions {
  readonly detector: InferenceSession;
  readonly prepared: PreparedDetector;
  /** Null for a detector that finds landmarks itself. */
  readonly landmarks: { readonly session: InferenceSession; readonly output: string } | null;
  readonly aligner: InferenceSession;
  readonly embedding: InferenceSession;
  readonly Tensor: typeof Tensor;
}

/** A face in pixels of the picture. */
interface Found {
  readonly candidate: FaceCandidate;
  readonly landmarks: readonly Landmark[];
}

/**
 * Finds, straightens and describes faces with ONNX Runtime. Runs block the calling thread, which must not be ended
 * meanwhile; one picture at a time.
 */
export class FaceEngine implements FaceReader {
  readonly embeddingModel: string;
  readonly #sessions: FaceSessions;
  readonly #gate: FaceGate;

  constructor(sessions: FaceSessions, embeddingModel: string, gate: FaceGate) {
    this.#sessions = sessions;
    this.embeddingModel = embeddingModel;
    this.#gate = gate;
  }

  /** @param choose which of the faces found are described, largest first; all unless told otherwise */
  async read(
    picture: RgbPicture,
    choose: (faces: FaceCandidate[]) => FaceCandidate[] = (faces) => faces,
  ): Promise<FaceSample[]> {
    const candidates = choose(await this.#detect(picture));
    const samples: FaceSample[] = [];
    for (const candidate of candidates.slice(0, MOST_FACES)) {
      const landmarks = candidate.landmarks ?? (await this.#findLandmarks(picture, candidate));
      samples.push(await this.#describe(picture, { candidate, landmarks }));
    }
    return samples;
  }

  async close(): Promise<void> {
    const { detector, landmarks, aligner, embedding } = this.#sessions;
    for (const session of [detector, landmarks?.session, aligner, embedding])
      await session?.release();
  }

  /** Largest first, in pixels of the picture. */
  async #detect({ pixels, width, height }: RgbPicture): Promise<FaceCandidate[]> {
    const { detector, prepared, Tensor } = this.#sessions;
    const { adapter } = prepared;
    const scale = Math.min(MOST_ENLARGED, prepared.width / width, prepared.height / height);
    const inside = { width: Math.round(width * scale), height: Math.round(height * scale) };
    const input = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .resize({ ...inside, fit: 'fill', kernel: 'linear' })
      .extend({
        right: prepared.width - inside.width,
        bottom: prepared.height - inside.height,
        background: '#000',
      })
      .raw()
      .toBuffer();
    const results = await detector.run({
      [PICTURE]: new Tensor('uint8', input, [1, prepared.height, prepared.width, 3]),
    });
    const outputs = Object.fromEntries(
      prepared.outputs.map((name) => [name, results[name]?.data as Float32Array]),
    );
    const found = adapter.decode(outputs, prepared, adapter.minScore);
    const [right, down] = [width / inside.width, height / inside.height];
    return distinctFaces(found, adapter.maxOverlap).map((face) => ({
      ...{ score: face.score, x: face.x * right, y: face.y * down },
      ...{ width: face.width * right, height: face.height * down },
      landmarks: face.landmarks?.map(({ x, y }) => ({ x: x * right, y: y * down })) ?? null,
    }));
  }

  async #findLandmarks(picture: RgbPicture, face: FaceCandidate): Promise<Landmark[]> {
    const { landmarks, Tensor } = this.#sessions;
    if (landmarks === null) throw new RangeError('the face detector gave no landmarks');
    const left = Math.max(0, Math.floor(face.x));
    const top = Math.max(0, Math.floor(face.y));
    const width = Math.max(1, Math.min(picture.width - left, Math.round(face.width)));
    const height = Math.max(1, Math.min(picture.height - top, Math.round(face.height)));
    const { width: pictureWidth, height: pictureHeight } = picture;
    const grey = await sharp(picture.pixels, {
      raw: { width: pictureWidth, height: pictureHeight, channels: 3 },
    })
      .extract({ left, top, width, height })
      .resize({ width: LANDMARK_SIDE, height: LANDMARK_SIDE, fit: 'fill', kernel: 'linear' })
      .greyscale()
      .raw()
      .toBuffer();
    const results = await landmarks.session.run({
      [PICTURE]: new Tensor('uint8', grey, [1, LANDMARK_SIDE, LANDMARK_SIDE, 1]),
    });
    const points = fiveOf(results[landmarks.output]?.data as Float32Array);
    return points.map(({ x, y }) => ({ x: left + x * width, y: top + y * height }));
  }

  async #describe(picture: RgbPicture, { candidate, landmarks }: Found): Promise<FaceSample> {
    const { x, y, width, height, score } = candidate;
    const aligned = await this.#align(picture, landmarks);
    const facts = {
      ...{ widthPx: width, score, sharpness: aligned?.sharpness ?? 0 },
      ...poseOf(landmarks),
    };
    const doubt = aligned === null ? 'uncertain' : doubtOf(facts, this.#gate);
    return {
      box: {
        ...{ x: x / picture.width, y: y / picture.height },
        ...{ width: width / picture.width, height: height / picture.height },
      },
      landmarks: landmarks.map((point) => ({
        x: point.x / picture.width,
        y: point.y / picture.height,
      })),
      ...facts,
      quality: qualityOf(facts),
      doubt,
      embedding: aligned === null || doubt !== null ? null : await this.#embed(aligned.face),
    };
  }

  async #align(
    { pixels, width, height }: RgbPicture,
    landmarks: readonly Landmark[],
  ): Promise<{ face: Tensor; sharpness: number } | null> {
    const back = similarityBetween(FACE_TEMPLATE, landmarks);
    if (back === null) return null;
    const { a, b, tx, ty } = back;
    // From pixels, whose centres are whole numbers, to -1..1 from edge to edge.
    const [across, down] = [2 / width, 2 / height];
    const place = Float32Array.of(
      ...[a * across, b * down],
      ...[-b * across, a * down],
      ...[(tx + 0.5) * across - 1, (ty + 0.5) * down - 1],
    );
    const { aligner, Tensor } = this.#sessions;
    const results = await aligner.run({
      [PICTURE_INPUT]: new Tensor('uint8', pixels, [height, width, 3]),
      [PLACE_INPUT]: new Tensor('float32', place, [3, 2]),
    });
    const [sharpness = 0] = (results[SHARPNESS_OUTPUT] as Tensor).data as Float32Array;
    return { face: results[FACE_OUTPUT] as Tensor, sharpness };
  }

  async #embed(face: Tensor): Promise<Float32Array> {
    const { embedding, Tensor } = this.#sessions;
    const [input = ''] = embedding.inputNames;
    const [output = ''] = embedding.outputNames;
    const tensor = new Tensor('float32', face.data as Float32Array, [1, 3, FACE_SIDE, FACE_SIDE]);
    const results = await embedding.run({ [input]: tensor });
    return unit(results[output]?.data as Float32Array);
  }
}

/** A copy of length 1. */
function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}
