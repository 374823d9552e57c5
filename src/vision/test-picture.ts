/**
 * A frame of stripes with noise on them, the same every time, for timing and comparing providers: on a plain
 * picture wrong results look right.
 *
 * @returns planes G, B, R
 */
export function testPicture({ width, height }: { width: number; height: number }): Uint8Array {
  const pixels = new Uint8Array(3 * width * height);
  let noise = 1;
  for (let index = 0; index < pixels.length; index++) {
    // A linear congruential generator (Numerical Recipes, 2nd edition, section 7.1).
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
    pixels[index] = ((index >> 5) % 2) * 128 + (noise >>> 25);
  }
  return pixels;
}
