import { expect, test } from 'vitest';
import { WantedObjects } from '../../../../src/edge/cameras/wanted-objects.ts';
import type { Detection } from '../../../../src/vision/contract.ts';

/** A detection with its foot there. */
function detection(label: string, footX: number): Detection {
  const box = { x: footX - 0.05, y: 0.3, width: 0.1, height: 0.3 };
  return { label, classId: 0, score: 0.9, box };
}

const LEFT_HALF = [
  { x: 0, y: 0 },
  { x: 0.5, y: 0 },
  { x: 0.5, y: 1 },
  { x: 0, y: 1 },
];

test('objects are those of the labels asked for, where no mask is that holds for them', () => {
  const seen = [
    detection('person', 0.2),
    detection('car', 0.2),
    detection('dog', 0.8),
    detection('person', 0.8),
  ];
  const mask = { polygon: LEFT_HALF, labels: new Set(['person']) };
  const wanted = new WantedObjects(['person', 'car'], [mask]);
  expect(wanted.among(seen)).toEqual([seen[1], seen[3]]);
  expect(new WantedObjects(null, []).among(seen)).toEqual(seen);
});

test('labels that the model does not have are told', () => {
  expect(new WantedObjects(['person', 'Car'], []).unknownLabels(['person', 'car'])).toEqual([
    'Car',
  ]);
  expect(new WantedObjects(null, []).unknownLabels([])).toEqual([]);
});
