import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaceDoubt, FaceSample, KnownPerson } from '../../../src/faces/contract.ts';
import { chooseFace, isSamePicture, warningsFor } from '../../../src/people/enrolment.ts';
import { endOfDay, isPersonId, isSlug, makePersonId } from '../../../src/people/person.ts';

/** Of unit length, at an angle in one plane: its cosine to another is that of the angle between. */
const at = (degrees: number): Float32Array => {
  const angle = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(angle), Math.sin(angle), 0);
};

function face(more: Partial<FaceSample> = {}): FaceSample {
  return {
    box: { x: 0.1, y: 0.1, width: 0.2, height: 0.2 },
    landmarks: [],
    score: 0.9,
    widthPx: 200,
    yaw: 0,
    roll: 0,
    sharpness: 300,
    quality: 0.8,
    doubt: null,
    embedding: at(0),
    ...more,
  };
}

const known = (personId: string, ...degrees: number[]): KnownPerson => ({
  personId,
  name: personId.toUpperCase(),
  threatLevel: 'safe',
  positives: degrees.map(at),
  negatives: [],
});

describe('the face of a picture', () => {
  test('is the only one, or the largest where that is asked for', () => {
    const [large, small] = [face({ widthPx: 300 }), face({ widthPx: 100 })];
    expect(chooseFace([large], false)).toEqual({ face: large, refusal: null });
    expect(chooseFace([large, small], true).face).toEqual(large);
    expect(chooseFace([large, small], false).refusal).toMatch(/2 faces.*--largest/);
    expect(chooseFace([], true).refusal).toBe('there is no face');
  });

  test.each<[FaceDoubt, Partial<FaceSample>, RegExp]>([
    ['small', { widthPx: 30 }, /too small \(30 pixels wide\)/],
    ['turned', { yaw: 50.4 }, /turned to the side \(50°\)/],
    ['tilted', { roll: -40 }, /tilted \(-40°\)/],
    ['blurred', { sharpness: 12.3 }, /blurred \(sharpness 12\)/],
    ['uncertain', { score: 0.31 }, /not certain.*\(score 0.31\)/],
  ])('is refused when it is %s, with what was measured', (doubt, more, said) => {
    const choice = chooseFace([face({ doubt, embedding: null, ...more })], false);
    expect(choice.face).toBeNull();
    expect(choice.refusal).toMatch(said);
  });

  test('is refused without an embedding', () => {
    expect(chooseFace([face({ embedding: null })], false).face).toBeNull();
  });
});

describe('warnings', () => {
  test('when somebody else resembles the face more', () => {
    expect(warningsFor(at(0), 'anna', [known('anna', 50), known('bob', 40, 80)])).toEqual([
      {
        kind: 'resembles_other',
        cosine: expect.closeTo(Math.cos((40 * Math.PI) / 180), 5),
        other: { personId: 'bob', name: 'BOB' },
      },
    ]);
    expect(warningsFor(at(0), 'anna', [known('anna', 30), known('bob', 40)])).toEqual([]);
    // A cosine of 0.45 is at 63.3 degrees.
    expect(warningsFor(at(0), 'anna', [known('bob', 64)])).toEqual([]);
    expect(warningsFor(at(0), 'anna', [known('bob', 63)])).toHaveLength(1);
  });

  test('when the face hardly resembles the earlier ones', () => {
    // A cosine of 0.3 is at 72.5 degrees.
    expect(warningsFor(at(0), 'anna', [known('anna', 73, 100)])).toEqual([
      {
        kind: 'unlike_own',
        cosine: expect.closeTo(Math.cos((73 * Math.PI) / 180), 5),
        other: null,
      },
    ]);
    expect(warningsFor(at(0), 'anna', [known('anna', 72)])).toEqual([]);
    expect(warningsFor(at(0), 'anna', [])).toEqual([]);
  });
});

test('a picture that was enrolled before is told', () => {
  expect(isSamePicture(at(10), [at(90), at(10)])).toBe(true);
  expect(isSamePicture(at(10), [at(12)])).toBe(false);
  expect(isSamePicture(at(10), [])).toBe(false);
});

describe('a person id', () => {
  test('begins as it is told and ends at random', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('person', 'staff-2', 'a'),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (slug, random) => {
          const id = makePersonId(slug, random);
          expect(id.startsWith(`${slug}-`)).toBe(true);
          expect(isPersonId(id)).toBe(true);
        },
      ),
    );
  });

  test.each(['', 'Anna', 'ä', 'a_b', '-a', 'a--b', 'x'.repeat(41)])(
    'cannot begin with %j',
    (slug) => {
      expect(isSlug(slug)).toBe(false);
      expect(isPersonId(`${slug}-abcdefghjk`)).toBe(false);
    },
  );
});

test('a day ends at midnight in UTC, and what is no day has no end', () => {
  expect(endOfDay('2026-02-28')).toBe(Date.UTC(2026, 2, 1));
  for (const text of ['2026-02-29', '2026-2-1', '2026-13-01', 'tomorrow', '2026-01-01T00:00:00Z'])
    expect(endOfDay(text)).toBeNull();
});
