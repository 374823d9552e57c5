import type { BoundingBox } from '../protocol/detection.ts';

/**
 * The generated test scene: upright magenta rectangles cross a dark picture from left to right, one at a time,
 * with nobody in between. A green one and a small magenta one stand still and are no objects. The built-in test
 * detector finds the crossing ones; neither says anything about real cameras.
 */
export const TEST_SCENE = {
  /** Pixels. */
  width: 640,
  height: 360,
  label: 'test-object',
  /** Red, green, blue, 0..255. */
  colour: [255, 0, 255],
  /** Both relative to the width of the picture. */
  objectWidth: 48 / 640,
  objectHeight: 96 / 640,
  /** Seconds from the start of one visit to the start of the next. */
  periodS: 10,
  /** Pixels each second. A visit lasts 8.6 s from the first visible pixel to the last. */
  speed: 80,
} as const;

const BACKGROUND = '0x282828';
const OBJECT_WIDTH = TEST_SCENE.objectWidth * TEST_SCENE.width;
const OBJECT_HEIGHT = TEST_SCENE.objectHeight * TEST_SCENE.width;
/** Top of the first, second and third visitor's path in pixels; then again from the first. */
const FIRST_TOP = 40;
const TOP_STEP = 50;
const PATHS = 3;
/** Above it the visitors' paths lie, so that none is hidden by what stands still. */
const STANDING_TOP = 260;

/**
 * Where the visitor is at a time of the clip, as the part of it that is inside the picture.
 *
 * @param seconds media time
 * @returns null while nobody is in the picture
 */
export function testSceneObjectAt(seconds: number): BoundingBox | null {
  const visit = Math.floor(seconds / TEST_SCENE.periodS);
  const left = TEST_SCENE.speed * (seconds - visit * TEST_SCENE.periodS) - OBJECT_WIDTH;
  const top = FIRST_TOP + TOP_STEP * (visit % PATHS);
  const from = Math.max(0, left);
  const to = Math.min(TEST_SCENE.width, left + OBJECT_WIDTH);
  if (to <= from) return null;
  return {
    x: from / TEST_SCENE.width,
    y: top / TEST_SCENE.height,
    width: (to - from) / TEST_SCENE.width,
    height: OBJECT_HEIGHT / TEST_SCENE.height,
  };
}

/** The scene as an ffmpeg filter graph with no input, for the `lavfi` device. */
function testSceneFilter(fps: number): string {
  const { width, height, periodS, speed } = TEST_SCENE;
  const colour = TEST_SCENE.colour.map((value) => value.toString(16).padStart(2, '0')).join('');
  const size = `${OBJECT_WIDTH}x${OBJECT_HEIGHT}`;
  const x = `${speed}*mod(t,${periodS})-${OBJECT_WIDTH}`;
  const y = `${FIRST_TOP}+${TOP_STEP}*mod(floor(t/${periodS}),${PATHS})`;
  return [
    `color=c=${BACKGROUND}:s=${width}x${height}:r=${fps}[background]`,
    `color=c=0x00a000:s=${size}:r=${fps}[green]`,
    `color=c=0x${colour}:s=${OBJECT_WIDTH / 2}x${OBJECT_WIDTH / 2}:r=${fps}[small]`,
    `color=c=0x${colour}:s=${size}:r=${fps}[visitor]`,
    `[background][green]overlay=x=96:y=${STANDING_TOP}[standing1]`,
    `[standing1][small]overlay=x=480:y=${STANDING_TOP}[standing2]`,
    `[standing2][visitor]overlay=x='${x}':y='${y}':eval=frame`,
  ].join(';');
}

/** ffmpeg arguments that write the scene as an H.264 clip (mp4). `-y` is not among them. */
export function testSceneArguments(options: {
  seconds: number;
  fps: number;
  output: string;
}): string[] {
  const { seconds, fps, output } = options;
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin'],
    ...['-f', 'lavfi', '-i', testSceneFilter(fps), '-t', String(seconds)],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p'],
    // A key frame each second, so that a viewer who joins a live stream waits no longer than that.
    ...['-g', String(Math.max(1, Math.round(fps))), '-bf', '0', '-movflags', '+faststart', output],
  ];
}
