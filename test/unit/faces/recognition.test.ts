import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaceSample, KnownPerson } from '../../../src/faces/contract.ts';
import { FaceAttempts } from '../../../src/faces/recognition/attempts.ts';
import { CameraFaces } from '../../../src/faces/recognition/camera-faces.ts';
import { likenesses } from '../../../src/faces/recognition/matcher.ts';
import { type Identity, TrackIdentity } from '../../../src/faces/recognition/track-identity.ts';
import type { Track } from '../../../src/tracking/types.ts';

const LIMITS = { minSimilarity: 0.4, margin: 0.08 };
const PICTURE = { width: 1000, height: 1000 };

/** An embedding whose cosine with the first axes is given; the rest of its length lies elsewhere. */
function embedding(...along: number[]): Float32Array {
  const rest = Math.sqrt(Math.max(0, 1 - along.reduce((sum, value) => sum + value * value, 0)));
  return Float32Array.of(...along, ...Array(3 - along.length).fill(0), rest);
}

function axis(index: number): Float32Array {
  return Float32Array.from({ length: 4 }, (_, at) => (at === index ? 1 : 0));
}

function person(personId: string, index: number, negatives: Float32Array[] = []): KnownPerson {
  return { personId, name: personId, threatLevel: 'safe', positives: [axis(index)], negatives };
}

const ADA = person('ada', 0);
const BOB = person('bob', 1);

function face(along: number[], facts: Partial<FaceSample> = {}): FaceSample {
  return {
    box: { x: 0.4, y: 0.1, width: 0.1, height: 0.1 },
    landmarks: [],
    ...{ score: 0.9, widthPx: 80, yaw: 0, roll: 0, sharpness: 300, quality: 0.8, doubt: null },
    embedding: embedding(...along),
    ...facts,
  };
}

function nameOf(identity: Identity | null): string | null {
  return identity?.kind === 'known' ? identity.person.personId : (identity?.kind ?? null);
}

describe('likenesses', () => {
  test('a person is like their most alike picture', () => {
    const two = { ...ADA, positives: [axis(2), axis(0)] };
    expect(likenesses(embedding(0.6), [two])[0]?.similarity).toBeCloseTo(0.6, 5);
  });

  test('who is more like one that was told to be somebody else is not this person', () => {
    const strict = person('ada', 0, [embedding(0.5, 0.8)]);
    expect(likenesses(embedding(0.6, 0.7), [strict])[0]?.similarity).toBe(-1);
    expect(likenesses(embedding(0.9), [strict])[0]?.similarity).toBeCloseTo(0.9, 5);
  });
});

describe('TrackIdentity', () => {
  const people = [ADA, BOB];

  function whoIs(...looks: [number[], Partial<FaceSample>?][]) {
    const identity = new TrackIdentity(LIMITS);
    for (const [along, facts] of looks) identity.see(face(along, facts), people);
    return nameOf(identity.identity);
  }

  test('one good look at somebody who is clearly alike is enough', () => {
    expect(whoIs([[0.6]])).toBe('ada');
  });

  test('who is less alike, or seen badly, takes a second look', () => {
    expect(whoIs([[0.42]])).toBeNull();
    expect(whoIs([[0.42]], [[0.44]])).toBe('ada');
    expect(whoIs([[0.6], { quality: 0.2 }])).toBeNull();
  });

  test('a good face counts for more than a bad one', () => {
    const blurred = { quality: 0.2 };
    expect(whoIs([[0.5]], [[0.2], blurred])).toBe('ada');
    expect(whoIs([[0.2]], [[0.5], blurred], [[0.2]])).toBe('unknown');
  });

  test('who is nearly as much like somebody else is nobody', () => {
    expect(whoIs([[0.5, 0.45]], [[0.5, 0.45]])).toBeNull();
    expect(whoIs([[0.6, 0.45]])).toBe('ada');
  });

  test('unknown takes three looks that are like nobody', () => {
    expect(whoIs([[0.1]], [[0.1]])).toBeNull();
    expect(whoIs([[0.1]], [[0.1]], [[0.1]])).toBe('unknown');
    // Nearly alike is not unlike.
    expect(whoIs([[0.37]], [[0.37]], [[0.37]])).toBeNull();
  });

  test('a track that has gone over to somebody else is noticed', () => {
    const identity = new TrackIdentity(LIMITS);
    for (let look = 0; look < 4; look++) identity.see(face([0.7]), people);
    for (let look = 0; look < 8; look++) identity.see(face([0, 0.7]), people);
    expect(identity.identity).toMatchObject({ kind: 'known', person: { personId: 'bob' } });
  });

  test('who is forgotten is named no more, and a new name counts', () => {
    const identity = new TrackIdentity(LIMITS);
    identity.see(face([0.7]), people);
    identity.see(face([0.7]), [{ ...ADA, name: 'Countess' }]);
    expect(identity.identity).toMatchObject({ person: { name: 'Countess' } });
    identity.see(face([0.7]), [BOB]);
    expect(identity.identity).not.toMatchObject({ kind: 'known' });
  });

  test('nobody is ever named who is less alike than asked for', () => {
    const looks = fc.array(
      fc.tuple(
        fc.double({ min: -0.5, max: 0.399, noNaN: true }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(looks, (all) => {
        const identity = new TrackIdentity(LIMITS);
        for (const [along, quality] of all) identity.see(face([along], { quality }), people);
        expect(identity.identity?.kind).not.toBe('known');
      }),
    );
  });
});

describe('FaceAttempts', () => {
  const wide = { x: 0.1, y: 0.1, width: 0.2, height: 0.3 };

  test('looks at nobody whose face cannot be wide enough', () => {
    const attempts = new FaceAttempts(40);
    const people = [
      { trackId: 1, box: { x: 0, y: 0, width: 0.07, height: 0.3 } },
      { trackId: 2, box: { x: 0, y: 0, width: 0.09, height: 0.3 } },
      { trackId: 3, box: { x: 0, y: 0, width: 0.05, height: 0.06 } },
    ];
    expect(attempts.choose(people, PICTURE, 0).map(({ trackId }) => trackId)).toEqual([2, 3]);
  });

  test('a decided one is left alone for a while, one in vain for less, a missed picture not at all', () => {
    const attempts = new FaceAttempts(40);
    const people = [1, 2, 3].map((trackId) => ({ trackId, box: wide }));
    const due = (ms: number) => attempts.choose(people, PICTURE, ms).map(({ trackId }) => trackId);
    expect(due(0)).toEqual([1, 2, 3]);
    attempts.looked(1, 'decided', 0);
    attempts.looked(2, 'compared', 0);
    attempts.looked(3, 'picture_gone', 0);
    expect(due(40)).toEqual([3]);
    expect(due(1000).sort()).toEqual([2, 3]);
    expect(due(5000)).toContain(1);
  });

  test('one camera never takes more than six looks in a second', () => {
    const crowd = Array.from({ length: 30 }, (_, index) => ({ trackId: index, box: wide }));
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 400 }), (stepMs) => {
        const attempts = new FaceAttempts(40);
        let looks = 0;
        for (let ms = 0; ms < 10_000; ms += stepMs)
          looks += attempts.choose(crowd, PICTURE, ms).length;
        expect(looks).toBeLessThanOrEqual(6 + 60);
      }),
    );
  });
});

describe('CameraFaces', () => {
  function track(id: number, x = 0.35): Track {
    const box = { x, y: 0.1, width: 0.2, height: 0.5 };
    return {
      ...{ id, label: 'person', classId: 0, box, firstBox: box, score: 0.9, topScore: 0.9 },
      ...{ medianScore: 0.9, firstSeenMs: 0, lastSeenMs: 0, hits: 3 },
    };
  }
  const frame = (monoMs: number) => ({ frameId: monoMs, monoMs, wallMs: 1e12 + monoMs });

  function camera() {
    return new CameraFaces<FaceSample>({
      ...{ limits: LIMITS, minWidthPx: 40 },
      people: () => [ADA, BOB],
    });
  }

  test('tells who it is once, and again only when that changes', () => {
    const faces = camera();
    const told: (string | null)[] = [];
    for (let second = 0; second < 60; second += 1) {
      const request = faces.wanted([track(1)], frame(second * 1000), PICTURE);
      if (request === null) continue;
      const { decided } = faces.read(request, [face(second < 20 ? [0.7] : [0, 0.7])]);
      for (const { identity } of decided) told.push(nameOf(identity));
    }
    expect(told).toEqual(['ada', 'bob']);
  });

  test('asks one question at a time', () => {
    const faces = camera();
    const request = faces.wanted([track(1)], frame(0), PICTURE);
    expect(faces.wanted([track(2)], frame(100), PICTURE)).toBeNull();
    faces.read(request!, null);
    expect(faces.wanted([track(2)], frame(200), PICTURE)).not.toBeNull();
  });

  test('a face that two people claim is of whom it is nearer the head of', () => {
    const faces = camera();
    const request = faces.wanted([track(1, 0.35), track(2, 0.45)], frame(0), PICTURE);
    const shared = face([0.7], { box: { x: 0.41, y: 0.11, width: 0.08, height: 0.1 } });
    const { decided } = faces.read(request!, [shared, shared]);
    expect(decided.map(({ trackId }) => trackId)).toEqual([1]);
  });

  test('a face in doubt is nobody’s', () => {
    const faces = camera();
    const request = faces.wanted([track(1)], frame(0), PICTURE);
    const doubtful = face([0.9], { doubt: 'tilted', embedding: null });
    expect(faces.read(request!, [doubtful])).toEqual({ decided: [], better: [] });
    expect(faces.of(1)).toBeNull();
  });

  test('looks at people only', () => {
    expect(camera().wanted([{ ...track(1), label: 'car' }], frame(0), PICTURE)).toBeNull();
  });
});
