/** Size of the picture that the structure of a scene is taken from. */
export const SCENE_GRID = { width: 32, height: 18 } as const;

/** Added to the contrast, so that the noise of a dark picture is no structure. Grey levels. */
const NOISE = 4;
/** A single bright lamp must not count for more than what stands around it. */
const STEEPEST = 2;

/**
 * Where it gets brighter and darker in a picture, whatever its brightness and contrast.
 * @param grey grey levels 0..255 of `SCENE_GRID`, row by row
 */
export function structureOf(grey: ArrayLike<number>): Float32Array {
  const { width, height } = SCENE_GRID;
  const { mean, deviation } = spread(grey);
  const at = (x: number, y: number): number =>
    ((grey[y * width + x] ?? 0) - mean) / (deviation + NOISE);
  const steps: number[] = [];
  for (let y = 0; y < height - 1; y++)
    for (let x = 0; x < width - 1; x++)
      steps.push(clipped(at(x + 1, y) - at(x, y)), clipped(at(x, y + 1) - at(x, y)));
  return Float32Array.from(steps);
}

/** How alike two structures are: 1 for the same, about 0 for two pictures of different things. */
export function similarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [shared, ofA, ofB] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [one, other] = [a[index] ?? 0, b[index] ?? 0];
    shared += one * other;
    ofA += one * one;
    ofB += other * other;
  }
  return ofA === 0 || ofB === 0 ? 0 : shared / Math.sqrt(ofA * ofB);
}

function spread(values: ArrayLike<number>): { mean: number; deviation: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const variance = list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length;
  return { mean, deviation: Math.sqrt(variance) };
}

function clipped(value: number): number {
  return Math.max(-STEEPEST, Math.min(STEEPEST, value));
}
