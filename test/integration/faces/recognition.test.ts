import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { FaceReader, KnownPerson } from '../../../src/faces/contract.ts';
import type { FaceDetectionResult } from '../../../src/protocol/payloads.ts';
import { testWithAssets } from '../../support/assets.ts';
import { faceReader, portraits, recognise } from '../../support/faces.ts';
import { temporaryFolder } from '../../support/program.ts';

const preparedDir = temporaryFolder('prepared');
const real = testWithAssets(
  { models: 'yolov8n.onnx' },
  { models: 'face_detection_yunet_2026may.onnx' },
  { media: 'hamilton.mp4' },
  { media: 'two-faces.mp4' },
  { media: 'people-walking.mp4' },
  { media: 'portraits/obama.jpg' },
);
const MIRANDA = 'lin-manuel-miranda';

let reader: FaceReader;
let people: KnownPerson[];

function names(results: readonly FaceDetectionResult[]): unknown[] {
  return results.flatMap(({ faces }) => faces.map(({ name }) => name)).filter(Boolean);
}

/** Faces of at least 40 pixels in clips of this width. */
function large(results: readonly FaceDetectionResult[]) {
  return results.flatMap(({ faces }) => faces).filter(({ width_px }) => Number(width_px) >= 40);
}

// A clip is analysed in 5 s, and on a busy machine in 30.
describe('people of footage', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    reader = await faceReader('yunet');
    people = await portraits(reader);
  });
  afterAll(() => reader?.close());

  real('hamilton: the one in close-up is named in nine of ten events, nobody wrongly', async () => {
    const { results, events, crops, report } = await recognise('hamilton.mp4', people, {
      preparedDir,
    });
    expect(report).toMatchObject({ provider: 'cpu', fault: null });
    const faces = large(results);
    expect(faces.length).toBeGreaterThanOrEqual(2);
    const named = faces.filter(({ name }) => name === MIRANDA);
    expect(named.length / faces.length).toBeGreaterThanOrEqual(0.9);
    expect(new Set(names(results))).toEqual(new Set([MIRANDA]));
    // Events say so too, and keep the face.
    const identified = [...events.values()].filter(({ identity }) => identity !== undefined);
    expect(identified.length).toBe(new Set(named.map(({ event_id }) => event_id)).size);
    for (const { identity, event_id } of identified) {
      expect(identity).toMatchObject({ person_id: MIRANDA, threat_level: 'safe' });
      expect(await sharp(crops.get(event_id)).metadata()).toMatchObject({ format: 'jpeg' });
    }
    // It is the stay of seven seconds in which he is large.
    const longest = Math.max(
      ...identified.map(({ start_time, end_time }) => (end_time ?? 0) - start_time),
    );
    expect(longest).toBeGreaterThan(5000);
  });

  real('who is not enrolled is never named', async () => {
    const others = people.filter(({ personId }) => personId !== MIRANDA);
    const { results } = await recognise('hamilton.mp4', others, { preparedDir });
    expect(names(results)).toEqual([]);
    // The close-up was compared often enough to say that he is unknown.
    expect(large(results).some(({ is_decided }) => is_decided)).toBe(true);
  });

  real.each(['two-faces.mp4', 'people-walking.mp4'])('%s names nobody', async (clip) => {
    const { results, events } = await recognise(clip, people, { preparedDir });
    expect(events.size).toBeGreaterThan(0);
    expect(names(results)).toEqual([]);
  });
});
