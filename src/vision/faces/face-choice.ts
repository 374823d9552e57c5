/** A box in pixels. */
interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the middle of a head is in the box of a person, in shares of the box's width and of the head region. */
const HEAD_X = 0.5;
const HEAD_Y = 0.3;

/**
 * Which of the faces in the crop of a person is theirs: large, and where a head is. Others look over their shoulder.
 * @returns null where there is none
 */
export function faceOfPerson<Face extends Box>(
  faces: readonly Face[],
  crop: { readonly width: number; readonly height: number },
): Face | null {
  const plausibility = (face: Face): number => {
    const x = (face.x + face.width / 2) / crop.width - HEAD_X;
    const y = (face.y + face.height / 2) / crop.height - HEAD_Y;
    return face.width / (1 + 8 * (x * x + y * y));
  };
  const [best] = [...faces].sort((a, b) => plausibility(b) - plausibility(a));
  return best ?? null;
}
