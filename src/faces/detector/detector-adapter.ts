import type { FaceCandidate } from './candidate.ts';

/** What a model gave, by the names of its outputs and in their order. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** What a model's file says of it. */
interface DetectorShape {
  /** Shapes by name, in their order. */
  readonly outputs: ReadonlyMap<string, readonly (number | string)[]>;
}

/** How a family of face detectors is talked to. */
export interface DetectorAdapter {
  readonly name: string;
  recognises(shape: DetectorShape): boolean;
  readonly findsLandmarks: boolean;
  /** The picture as the model wants it: (value - mean) * scale, with sides that are multiples of `multiple`. */
  readonly input: {
    readonly order: 'rgb' | 'bgr';
    readonly mean: number;
    readonly scale: number;
    readonly multiple: number;
  };
  /** 0..1 */
  readonly minScore: number;
  /** Faces that overlap by more, intersection over union, are one. */
  readonly maxOverlap: number;
  /** Faces in pixels of the input; those that overlap are still there. */
  decode(
    outputs: Outputs,
    input: { readonly width: number; readonly height: number },
    minScore: number,
  ): FaceCandidate[];
}
