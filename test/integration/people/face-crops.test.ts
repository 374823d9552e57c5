import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeEventId } from '../../../src/events/event-id.ts';
import { FaceCrops } from '../../../src/events/face-crops.ts';

const DAY = '2026-03-05';
const [SEEN, OTHER, FACELESS] = [1, 2, 3].map((number) =>
  makeEventId(Date.UTC(2026, 2, 5, 12), number, () => 0.5),
) as [string, string, string];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-face-crops-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function picture(folder: string, camera: string, eventId: string): string {
  const path = join(dir, folder, camera, DAY, `${eventId}.jpg`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'jpeg');
  return path;
}

test('faces and snapshots of a person’s events go, those of others stay', async () => {
  const gone = [
    picture('faces', 'gate', SEEN),
    picture('snapshots', 'gate', SEEN),
    picture('snapshots', 'yard', FACELESS),
  ];
  const kept = [picture('faces', 'yard', OTHER), picture('snapshots', 'yard', OTHER)];
  const crops = new FaceCrops(dir);
  expect(await crops.remove([SEEN, FACELESS, 'no event'])).toBe(1);
  expect(gone.filter((path) => existsSync(path))).toEqual([]);
  expect(kept.filter((path) => !existsSync(path))).toEqual([]);
  expect(await crops.find(OTHER)).toBe(kept[0]);
});

test('where nothing was ever kept there is nothing to remove', async () => {
  expect(await new FaceCrops(dir).remove([SEEN])).toBe(0);
});
