import type { BoundingBox } from '../protocol/detection.ts';
import type { EventIdentity } from '../protocol/payloads.ts';

/** A place in a picture: shares of its width and height, origin top left. */
export interface Landmark {
  readonly x: number;
  readonly y: number;
}

/** Why a face is not compared with anybody: what is wrong with it would make two people look alike. */
export type FaceDoubt = 'small' | 'turned' | 'tilted' | 'blurred' | 'uncertain';

/** One face in a picture. */
export interface FaceSample {
  /** Relative to the picture. */
  readonly box: BoundingBox;
  /** Eye, eye, nose, corner of the mouth, corner of the mouth; of each pair the one left in the picture first. */
  readonly landmarks: readonly Landmark[];
  /** Certainty of the detector, 0..1. */
  readonly score: number;
  /** In pixels of the picture as it was analysed. */
  readonly widthPx: number;
  /** Turned to the side, degrees; 0 looks into the camera, above zero to the right of the picture. */
  readonly yaw: number;
  /** Tilted, degrees; above zero clockwise. */
  readonly roll: number;
  /** Variance of the Laplacian of the aligned face in grey values; below about 100 it is blurred. */
  readonly sharpness: number;
  /** How much this face counts beside others of the same person, 0..1. */
  readonly quality: number;
  /** Null where it is good enough to be compared. */
  readonly doubt: FaceDoubt | null;
  /** Of unit length; null where there is a doubt, or no embedding was asked for. */
  readonly embedding: Float32Array | null;
}

/** An 8-bit picture: interleaved RGB. */
export interface RgbPicture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Finds the faces of a picture and describes each by numbers that are alike for the same person. */
export interface FaceReader {
  /** Name of the embedding model: embeddings of different ones cannot be compared. */
  readonly embeddingModel: string;
  /** Largest first. */
  read(picture: RgbPicture): Promise<FaceSample[]>;
  close(): Promise<void>;
}

type ThreatLevel = EventIdentity['threat_level'];

/** A person as the recognition knows them. */
export interface KnownPerson {
  readonly personId: string;
  readonly name: string;
  readonly threatLevel: ThreatLevel;
  /** Embeddings of this person, of unit length. */
  readonly positives: readonly Float32Array[];
  /** Embeddings of others who were taken for this person. */
  readonly negatives: readonly Float32Array[];
}
