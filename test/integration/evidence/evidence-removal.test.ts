import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeEventId } from '../../../src/events/event-id.ts';
import { openEvidenceFolder, removeEvidence } from '../../../src/evidence/evidence-removal.ts';
import { faceOfEvent } from '../../../src/evidence/face-of-event.ts';
import { LogLines } from '../../support/log-lines.ts';

const DAY = '2026-03-05';
const [SEEN, OTHER, FACELESS, ALERT, OTHER_ALERT] = [1, 2, 3, 4, 5].map((number) =>
  makeEventId(Date.UTC(2026, 2, 5, 12), number, () => 0.5),
) as [string, string, string, string, string];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-evidence-removal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function file(folder: string, camera: string, name: string): string {
  const path = join(dir, folder, camera, DAY, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'evidence');
  return path;
}

const open = () => openEvidenceFolder(dir, new LogLines());
const left = (paths: readonly string[]) => paths.filter((path) => existsSync(path));

test('what shows a person goes from every camera, that of others stays', async () => {
  const gone = [
    file('faces', 'gate', `${SEEN}.jpg`),
    file('snapshots', 'gate', `${SEEN}.jpg`),
    file('snapshots', 'yard', `${FACELESS}.jpg`),
    file('thumbnails', 'gate', `${ALERT}.jpg`),
    file('clips', 'gate', `${ALERT}.mp4`),
  ];
  const kept = [
    file('faces', 'yard', `${OTHER}.jpg`),
    file('snapshots', 'yard', `${OTHER}.jpg`),
    file('thumbnails', 'yard', `${OTHER_ALERT}.jpg`),
  ];
  const shown = { eventIds: [SEEN, FACELESS, 'no event'], alertIds: [ALERT] };
  expect(await removeEvidence(await open(), shown)).toEqual({ faces: 1, others: 4 });
  expect(left(gone)).toEqual([]);
  expect(left(kept)).toEqual(kept);
  // Days without anything are not left behind.
  expect(existsSync(dirname(gone[4] ?? ''))).toBe(false);
  expect(await faceOfEvent(dir, OTHER)).toBe(kept[0]);
  expect(await faceOfEvent(dir, SEEN)).toBeNull();
});

test('a clip of several alerts keeps the names of those about others', async () => {
  const clip = file('clips', 'gate', `${ALERT}.mp4`);
  const other = join(dirname(clip), `${OTHER_ALERT}.mp4`);
  linkSync(clip, other);
  await removeEvidence(await open(), { eventIds: [], alertIds: [ALERT] });
  expect(readdirSync(dirname(clip))).toEqual([`${OTHER_ALERT}.mp4`]);
});

test('what was on its way when its person was forgotten is not kept', async () => {
  const files = await open();
  await removeEvidence(files, { eventIds: [SEEN], alertIds: [ALERT] });
  const made = file('clips', '.work', 'made.mp4');
  await expect(files.clip.save({ cameraId: 'gate', eventId: ALERT }, made)).rejects.toMatchObject({
    code: 'EVIDENCE_FORGOTTEN',
  });
  await expect(
    files.face.save({ cameraId: 'gate', eventId: SEEN }, new Uint8Array(9)),
  ).rejects.toMatchObject({ code: 'EVIDENCE_FORGOTTEN' });
  expect(
    readdirSync(dir, { recursive: true }).filter((path) => /\.(mp4|jpg)$/.test(`${path}`)),
  ).toEqual([]);
  await files.face.save({ cameraId: 'gate', eventId: OTHER }, new Uint8Array(9));
  expect(await faceOfEvent(dir, OTHER)).not.toBeNull();
});

test('where nothing was ever kept there is nothing to remove', async () => {
  const shown = { eventIds: [SEEN], alertIds: [ALERT] };
  expect(await removeEvidence(await open(), shown)).toEqual({ faces: 0, others: 0 });
});
