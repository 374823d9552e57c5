import type { FaceDoubt, FaceSample, KnownPerson } from '../faces/contract.ts';

/** From this cosine on, two faces may well be of one person. */
const ALIKE = 0.45;
/** Below it, two faces are hardly of one person. */
const UNLIKE = 0.3;
/** Above it, two embeddings are of one picture. */
const SAME_PICTURE = 0.9999;

const DOUBTS: Readonly<Record<FaceDoubt, string>> = {
  small: 'the face is too small',
  turned: 'the face is turned to the side',
  tilted: 'the face is tilted',
  blurred: 'the face is blurred',
  uncertain: 'it is not certain that this is a face',
};

/** A face that people can be recognised by. */
interface UsableFace extends FaceSample {
  readonly embedding: Float32Array;
}

export type FaceChoice =
  | { readonly face: UsableFace; readonly refusal: null }
  | { readonly face: null; readonly refusal: string };

/**
 * The face of a picture that is to be enrolled, or why there is none.
 * @param faces of one picture, largest first
 * @param mayHaveOthers takes the largest where there are several
 */
export function chooseFace(faces: readonly FaceSample[], mayHaveOthers: boolean): FaceChoice {
  const [face] = faces;
  if (face === undefined) return refused('there is no face');
  if (faces.length > 1 && !mayHaveOthers)
    return refused(`there are ${faces.length} faces; --largest takes the largest`);
  if (face.doubt !== null) return refused(`${DOUBTS[face.doubt]} (${measured(face)})`);
  if (face.embedding === null) return refused('the face could not be described');
  return { face: { ...face, embedding: face.embedding }, refusal: null };
}

function refused(refusal: string): FaceChoice {
  return { face: null, refusal };
}

function measured({ doubt, widthPx, yaw, roll, sharpness, score }: FaceSample): string {
  switch (doubt) {
    case 'small':
      return `${Math.round(widthPx)} pixels wide`;
    case 'turned':
      return `${Math.round(yaw)}°`;
    case 'tilted':
      return `${Math.round(roll)}°`;
    case 'blurred':
      return `sharpness ${Math.round(sharpness)}`;
    default:
      return `score ${score.toFixed(2)}`;
  }
}

/** What is odd about a new face of a person, for whoever enrols it. */
export interface FaceWarning {
  readonly kind: 'resembles_other' | 'unlike_own';
  /** Cosine to the most alike face of the other person, or of this one. */
  readonly cosine: number;
  /** Whom it resembles more; null for `unlike_own`. */
  readonly other: Pick<KnownPerson, 'personId' | 'name'> | null;
}

/** @param known everybody in the gallery, the person among them where they have faces already */
export function warningsFor(
  embedding: Float32Array,
  personId: string,
  known: readonly KnownPerson[],
): FaceWarning[] {
  const own = known.find((person) => person.personId === personId)?.positives ?? [];
  const ownCosine = closest(embedding, own);
  const others = known
    .filter((person) => person.personId !== personId)
    .map((person) => ({ person, cosine: closest(embedding, person.positives) }))
    .sort((a, b) => b.cosine - a.cosine);
  const warnings: FaceWarning[] = [];
  const [nearest] = others;
  if (nearest !== undefined && nearest.cosine >= ALIKE && nearest.cosine > ownCosine)
    warnings.push({
      kind: 'resembles_other',
      cosine: nearest.cosine,
      other: { personId: nearest.person.personId, name: nearest.person.name },
    });
  if (own.length > 0 && ownCosine < UNLIKE)
    warnings.push({ kind: 'unlike_own', cosine: ownCosine, other: null });
  return warnings;
}

/** Whether the picture of a face is among those of a person already. */
export function isSamePicture(embedding: Float32Array, own: readonly Float32Array[]): boolean {
  return closest(embedding, own) > SAME_PICTURE;
}

/** Cosine to the most alike; -1 where there is none. */
function closest(embedding: Float32Array, others: readonly Float32Array[]): number {
  return others.reduce((best, other) => Math.max(best, cosine(embedding, other)), -1);
}

/** Of vectors of unit length. */
function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
