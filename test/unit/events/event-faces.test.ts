import { describe, expect, test } from 'vitest';
import { CameraEvents } from '../../../src/events/camera-events.ts';
import { EventFaces } from '../../../src/events/event-faces.ts';
import type { KnownPerson } from '../../../src/faces/contract.ts';
import { CameraFaces } from '../../../src/faces/recognition/camera-faces.ts';
import type { FaceDetectionResult, ObjectEvent } from '../../../src/protocol/payloads.ts';
import type { PersonFace } from '../../../src/vision/contract.ts';

const ADA: KnownPerson = {
  ...{ personId: 'ada-1', name: 'Ada', threatLevel: 'safe' },
  ...{ positives: [Float32Array.of(1, 0)], negatives: [] },
};

/** The face of somebody who is so much like Ada. */
function face(likeness: number): PersonFace {
  return {
    box: { x: 0.42, y: 0.32, width: 0.06, height: 0.1 },
    landmarks: [],
    ...{ score: 0.9, widthPx: 60, yaw: 0, roll: 0, sharpness: 300, quality: 0.8, doubt: null },
    embedding: Float32Array.of(likeness, Math.sqrt(1 - likeness * likeness)),
    jpeg: Uint8Array.of(Math.round(likeness * 100)),
  };
}

/** A camera that sees one person from 1 s to `untilS`; the face of each look is what `look` says of its time. */
function play(untilS: number, look: (seconds: number) => PersonFace | null) {
  const recognition = new CameraFaces<PersonFace>({
    limits: { minSimilarity: 0.4, margin: 0.08 },
    minWidthPx: 40,
    people: () => [ADA],
  });
  const faces = new EventFaces({
    ...{ cameraId: 'gate', recognition },
    pictureSize: () => ({ width: 1000, height: 1000 }),
  });
  const camera = new CameraEvents({
    ...{ cameraId: 'gate', minScore: 0.4, frameIntervalMs: 100, random: () => 0, snapshots: false },
    faces,
  });
  const events: ObjectEvent[] = [];
  const results: FaceDetectionResult[] = [];
  const best: number[] = [];
  const looks: number[] = [];
  for (let frameId = 0; frameId < untilS * 10 + 60; frameId++) {
    const seconds = frameId / 10;
    const box = { x: 0.4, y: 0.3, width: 0.1, height: 0.4 };
    const person = { label: 'person', classId: 0, score: 0.9, box };
    const isThere = seconds >= 1 && seconds <= untilS;
    const changes = camera.frame({
      ...{ cameraId: 'gate', frameId, monoMs: seconds * 1000, wallMs: 1e12 + seconds * 1000 },
      ...{ detections: isThere ? [person] : [], inferenceMs: 5, model: 'yolov8n' },
    });
    events.push(...changes.events);
    const news = [changes.faces];
    if (changes.faceRequest !== null) {
      looks.push(seconds);
      news.push(camera.facesRead(changes.faceRequest, [look(seconds)]));
    }
    results.push(...news.flatMap((each) => each.results));
    best.push(...news.flatMap((each) => each.best.map((kept) => kept.face.jpeg?.[0] ?? -1)));
  }
  return { events, results, best, looks, counts: faces.counts };
}

describe('faces of events', () => {
  test('a person is looked at before there is an event, which then has the name at once', () => {
    const { events, results, looks, counts } = play(6, (s) => (s < 1.3 ? face(0.7) : null));
    expect(looks[0]).toBeLessThan(1.4);
    expect(events.map(({ phase, identity }) => [phase, identity?.name])).toEqual([
      ['new', 'Ada'],
      ['end', 'Ada'],
    ]);
    expect(results).toHaveLength(1);
    expect(counts).toEqual({ decided: 1, named: 1 });
    expect(results[0]?.faces[0]).toMatchObject({
      ...{ event_id: events[0]?.event_id, person_id: 'ada-1', name: 'Ada', is_known: true },
      ...{ is_decided: true, confidence: 0.7, threat_level: 'safe' },
    });
  });

  test('is told at the next sighting, not when the next update would be due', () => {
    const { events } = play(9, (s) => (s > 2 ? face(0.7) : null));
    const update = events.find(({ identity }) => identity !== undefined);
    expect(update?.timestamp).toBeLessThan(1e12 + 2600);
  });

  test('who is like nobody is told as unknown, without a name', () => {
    const { events, results, counts } = play(6, () => face(0.1));
    expect(counts).toEqual({ decided: 1, named: 0 });
    expect(results).toHaveLength(1);
    expect(results[0]?.faces[0]).toMatchObject({
      ...{ person_id: null, name: null, is_known: false, is_decided: true, looks: 3 },
      threat_level: 'unknown',
    });
    expect(events.every(({ identity }) => identity === undefined)).toBe(true);
  });

  test('a face that was seen and never decided is told at the end', () => {
    const { events, results } = play(4, (s) => (s < 1.5 ? face(0.38) : null));
    expect(events.at(-1)?.phase).toBe('end');
    expect(results).toHaveLength(1);
    expect(results[0]?.faces[0]).toMatchObject({ is_known: false, is_decided: false });
  });

  test('where no face is seen nothing is told', () => {
    expect(play(4, () => null)).toMatchObject({ results: [], best: [] });
  });

  test('the best face is kept, again when there is a better one', () => {
    const { best } = play(8, (s) => ({ ...face(0.7), quality: s > 4 ? 0.9 : 0.8 }));
    expect(best).toHaveLength(2);
  });
});
