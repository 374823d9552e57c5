import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { peopleCommand } from '../../../src/cli/people-command.ts';
import type { FaceReader, FaceSample, RgbPicture } from '../../../src/faces/contract.ts';
import { Gallery } from '../../../src/people/gallery.ts';
import { keyPlace } from '../../../src/people/key-file.ts';
import { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { LogLines } from '../../support/log-lines.ts';
import { filesHolding } from '../../support/raw-bytes.ts';
import { embeddingOf } from './people-scene.ts';

const EVENT_ID = '1767225580.000001-abcdef';

let dir: string;
let dataDir: string;
let config: string;
let out: string[];
let err: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-people-command-'));
  dataDir = join(dir, 'data');
  mkdirSync(dataDir);
  config = join(dir, 'config.yaml');
  writeFileSync(config, stringify({ edge: { data_dir: dataDir } }));
  out = [];
  err = [];
  vi.spyOn(console, 'log').mockImplementation((text) => void out.push(String(text)));
  vi.spyOn(console, 'error').mockImplementation((text) => void err.push(String(text)));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(dir, { recursive: true });
});

/** Knows a picture by the red of its top left corner: so many faces, and which. */
class PictureReader implements FaceReader {
  readonly embeddingModel = 'test';
  readonly seen: RgbPicture[] = [];
  faces: (red: number) => Partial<FaceSample>[] = (red) => [{ embedding: embeddingOf(red) }];
  closed = 0;

  async read(picture: RgbPicture): Promise<FaceSample[]> {
    this.seen.push(picture);
    const box = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 };
    const usual = { box, landmarks: [], score: 0.9, widthPx: 200, yaw: 0, roll: 0, sharpness: 300 };
    return this.faces(picture.pixels[0] ?? 0).map((face) => ({
      ...{ ...usual, quality: 0.8, doubt: null, embedding: embeddingOf(0) },
      ...face,
    }));
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

let reader = new PictureReader();
beforeEach(() => {
  reader = new PictureReader();
});

async function people(...args: string[]): Promise<string> {
  const from = out.length;
  const command = peopleCommand(async () => reader);
  await command.parseAsync([...args, '--config', config], { from: 'user' });
  return out.slice(from).join('\n');
}

/** A picture of one colour, 40 wide and 20 high as it is stored. */
async function pictureFile(name: string, red: number, orientation = 1): Promise<string> {
  const path = join(dir, name);
  const background = { r: red, g: 0, b: 0 };
  await sharp({ create: { width: 40, height: 20, channels: 3, background } })
    .withMetadata({ orientation })
    .png()
    .toFile(path);
  return path;
}

const json = async (...args: string[]) => JSON.parse(await people(...args, '--json'));

describe('apex-edge people', () => {
  test('adds, lists and shows a person', async () => {
    const options = ['--role', 'tenant', '--threat-level', 'watch_list', '--notes', 'second floor'];
    const days = ['--consent', '2026-01-02', '--expires', '2099-01-01'];
    const id = await people('add', 'Anna Ölçer', '--id', 'flat-7', ...options, ...days);
    expect(id).toMatch(/^flat-7-[a-z2-9]{10}$/);
    const [listed] = await json('list');
    expect(listed).toEqual({
      id,
      name: 'Anna Ölçer',
      role: 'tenant',
      threat_level: 'watch_list',
      consent: '2026-01-02',
      expires: '2099-01-01',
      state: 'without a face',
      faces: 0,
      not_faces: 0,
    });
    expect(await people('list')).toContain('Anna Ölçer');
    expect(await json('show', id)).toMatchObject({ id, notes: 'second floor', samples: [] });
    expect(await people('show', id)).toContain('second floor');
    await expect(people('show', 'person-nobody')).rejects.toMatchObject({ code: 'PEOPLE_UNKNOWN' });
  });

  test.each([
    [['--expires', '2020-01-01'], /no day to come/],
    [['--expires', '2099-02-30'], /no day to come/],
    [['--consent', 'yesterday'], /no day/],
    [['--id', 'Anna'], /--id/],
  ])('refuses %j', async (options, said) => {
    await expect(people('add', 'Anna', ...options)).rejects.toThrow(said);
    await expect(people('add', ' ')).rejects.toMatchObject({ code: 'PEOPLE_OPTION' });
    expect(await json('list')).toEqual([]);
  });

  test('enrols faces of upright pictures, each once, and says whom they resemble', async () => {
    const [anna, bob] = [await people('add', 'Anna'), await people('add', 'Bob')];
    const turned = await pictureFile('turned.png', 10, 6);
    expect(await people('enroll', anna, turned, '--photo')).toContain('enrolled, quality 0.80');
    expect(reader.seen[0]).toMatchObject({ width: 20, height: 40 });
    expect(reader.closed).toBe(1);
    expect(await people('enroll', anna, turned)).toContain('enrolled before');
    const { samples } = await json('show', anna);
    expect(samples).toMatchObject([
      { kind: 'positive', model: 'test', origin: 'turned.png', has_photo: true, quality: 0.8 },
    ]);
    expect(err).toEqual([]);
    await people('enroll', bob, turned);
    expect(err.join()).toContain(`resembles Anna (${anna}) more: 1.00`);
    await people('enroll', anna, await pictureFile('other.png', 200));
    expect(err.join()).toContain('hardly resembles the earlier ones');
    await people('enroll', anna, await pictureFile('not.png', 77), '--not');
    expect(await json('list')).toContainEqual(
      expect.objectContaining({ id: anna, faces: 2, not_faces: 1, state: 'recognised' }),
    );
    const gallery = new Gallery(Gallery.pathIn(dataDir), keyPlace(dataDir, undefined, {}));
    const [known] = gallery.known('test', Date.now()).filter(({ personId }) => personId === anna);
    const [photo] = gallery.samples(anna).flatMap((sample) => sample.photo ?? []);
    gallery.close();
    expect(known?.negatives).toEqual([embeddingOf(77)]);
    expect((await sharp(photo).metadata()).format).toBe('jpeg');
  });

  test('refuses pictures without a usable face, and takes the others all the same', async () => {
    const anna = await people('add', 'Anna');
    const files = [
      await pictureFile('none.png', 1),
      await pictureFile('two.png', 2),
      await pictureFile('blurred.png', 3),
      await pictureFile('good.png', 4),
    ];
    writeFileSync(join(dir, 'text.jpg'), 'no picture');
    reader.faces = (red) =>
      [[], [{}, {}], [{ doubt: 'blurred' as const, embedding: null }], [{}]][red - 1] ?? [];
    await people('enroll', anna, ...files, join(dir, 'text.jpg'));
    expect(process.exitCode).toBe(1);
    expect(err.map((line) => line.replace(`${dir}/`, ''))).toEqual([
      'none.png: there is no face [PEOPLE_FACE_REFUSED]',
      'two.png: there are 2 faces; --largest takes the largest [PEOPLE_FACE_REFUSED]',
      'blurred.png: the face is blurred (sharpness 300) [PEOPLE_FACE_REFUSED]',
      expect.stringMatching(/^text\.jpg: .*\[PEOPLE_PICTURE_UNREADABLE\]$/),
    ]);
    expect(await json('list')).toMatchObject([{ faces: 1 }]);
    await people('enroll', anna, files[1] ?? '', '--largest');
    expect(out.at(-1)).toContain('enrolled before');
  });

  test('takes the face that was kept of an event, and says when none was', async () => {
    const anna = await people('add', 'Anna');
    await expect(people('enroll', anna, '--event', EVENT_ID)).rejects.toMatchObject({
      code: 'PEOPLE_EVENT_WITHOUT_FACE',
    });
    await expect(people('enroll', anna)).rejects.toMatchObject({ code: 'PEOPLE_OPTION' });
    const folder = join(dataDir, 'faces/gate/2025-12-31');
    mkdirSync(folder, { recursive: true });
    const background = { r: 10, g: 0, b: 0 };
    await sharp({ create: { width: 112, height: 112, channels: 3, background } })
      .jpeg()
      .toFile(join(folder, `${EVENT_ID}.jpg`));
    await people('enroll', anna, '--event', EVENT_ID);
    expect((await json('show', anna)).samples).toMatchObject([{ origin: EVENT_ID }]);
  });

  test('forgets without a daemon: not a byte is left in the data folder', async () => {
    const anna = await people('add', 'Anna Ölçer');
    await people('enroll', anna, await pictureFile('anna.png', 10), '--photo');
    const store = await Store.open({ dir: dataDir, clock: systemClock, log: new LogLines() });
    const data = {
      type: 'watch_list',
      camera_id: 'gate',
      severity: 'high' as const,
      timestamp: 1,
      data: { identity: { person_id: anna, name: 'Anna Ölçer' }, why: 'Anna Ölçer came' },
    };
    await store.enqueue([
      { type: 'alert_triggered', cameraId: 'gate', data, wallMs: 1, monoMs: 1 },
    ]);
    await store.close();
    expect(filesHolding(dataDir, anna)).toContain('outbox.db');
    expect(await people('forget', anna)).toContain('1 stored messages changed');
    expect([...filesHolding(dataDir, anna), ...filesHolding(dataDir, 'Ölçer')]).toEqual([]);
    expect(await json('list')).toEqual([]);
    await expect(people('forget', anna)).rejects.toMatchObject({ code: 'PEOPLE_UNKNOWN' });
  });

  test('exports to a file that only its owner may read, and imports it once', async () => {
    const anna = await people('add', 'Anna');
    await people('enroll', anna, await pictureFile('anna.png', 10));
    const passphrase = join(dir, 'passphrase');
    writeFileSync(passphrase, 'correct horse battery\n');
    const file = join(dir, 'people.json');
    const transfer = ['--passphrase-file', passphrase];
    expect(await people('export', file, ...transfer)).toContain('1 people');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await people('import', file, ...transfer)).toBe(`${anna}: unchanged`);
    await people('forget', anna);
    expect(await people('import', file, ...transfer)).toBe(`${anna}: added, 1 face`);
    writeFileSync(passphrase, 'short\n');
    await expect(people('import', file, ...transfer)).rejects.toMatchObject({
      code: 'PEOPLE_OPTION',
    });
  });
});
