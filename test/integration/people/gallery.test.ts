import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readExport, writeExport } from '../../../src/people/export-file.ts';
import { Gallery } from '../../../src/people/gallery.ts';
import { keyPlace } from '../../../src/people/key-file.ts';
import { mergeInto } from '../../../src/people/merge.ts';
import { filesHolding } from '../../support/raw-bytes.ts';
import { embeddingOf, NOW, personCalled, sampleOf } from './people-scene.ts';

let dir: string;
const open: Gallery[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'apex-people-'));
});
afterEach(() => {
  for (const gallery of open.splice(0)) gallery.close();
  rmSync(dir, { recursive: true });
});

function openGallery(dataDir = dir, keyFile?: string): Gallery {
  const place = keyPlace(dataDir, keyFile, {});
  const gallery = new Gallery(Gallery.pathIn(dataDir), place);
  open.push(gallery);
  return gallery;
}

const keyPath = () => join(dir, 'keys', 'people.key');
const anna = personCalled('Anna Ölçer');

describe('a gallery', () => {
  test('keeps people and faces, readable by nobody without the key', () => {
    const gallery = openGallery();
    const sample = sampleOf(1, { photo: Buffer.from('a photo of Anna'), origin: 'anna.jpg' });
    gallery.put(anna);
    expect(gallery.addSample(anna.personId, sample)).toBe(true);
    expect(gallery.addSample(anna.personId, sample)).toBe(false);
    expect(gallery.addSample(anna.personId, sampleOf(2, { kind: 'negative' }))).toBe(true);
    expect(gallery.people()).toEqual([anna]);
    expect(gallery.samples(anna.personId)[0]).toEqual(sample);
    expect(Object.fromEntries(gallery.sampleCounts())).toEqual({
      [anna.personId]: { positive: 1, negative: 1 },
    });
    const embedding = Buffer.from(sample.embedding.buffer);
    for (const secret of ['Ölçer', 'tenant', 'third floor', 'anna.jpg', 'a photo', embedding])
      expect(filesHolding(dir, secret)).toEqual([]);
    // The search itself finds what is there.
    expect(filesHolding(dir, anna.personId)).not.toEqual([]);
    expect(statSync(keyPath()).mode & 0o777).toBe(0o600);
    expect(statSync(Gallery.pathIn(dir)).mode & 0o777).toBe(0o600);
  });

  test('tells the recognition whom it may compare with: of one model, and only until the last day', () => {
    const gallery = openGallery();
    const guest = personCalled('Guest', { expiryDate: '2026-03-01' });
    for (const person of [anna, guest]) {
      gallery.put(person);
      gallery.addSample(person.personId, sampleOf(1));
      gallery.addSample(person.personId, sampleOf(2, { kind: 'negative' }));
      gallery.addSample(person.personId, sampleOf(3, { embeddingModel: 'another' }));
    }
    gallery.put(personCalled('Faceless'));
    const lastMoment = Date.UTC(2026, 2, 2) - 1;
    const namesAt = (ms: number) => gallery.known('test', ms).map(({ name }) => name);
    expect(namesAt(lastMoment).sort()).toEqual(['Anna Ölçer', 'Guest']);
    expect(gallery.nextExpiryMs(lastMoment)).toBe(lastMoment + 1);
    expect(gallery.expired(lastMoment)).toEqual([]);
    expect(namesAt(lastMoment + 1)).toEqual(['Anna Ölçer']);
    expect(gallery.expired(lastMoment + 1)).toEqual([guest.personId]);
    expect(gallery.known('test', lastMoment + 1)).toEqual([
      {
        personId: anna.personId,
        name: 'Anna Ölçer',
        threatLevel: 'safe',
        positives: [embeddingOf(1)],
        negatives: [embeddingOf(2)],
      },
    ]);
  });

  test('shows that another connection has written', () => {
    const [daemon, command] = [openGallery(), openGallery()];
    const before = daemon.version;
    expect(daemon.version).toBe(before);
    command.put(anna);
    expect(daemon.version).not.toBe(before);
    expect(daemon.people()).toEqual([anna]);
  });

  test('nobody of an unknown id', () => {
    const gallery = openGallery();
    gallery.put(anna);
    for (const ask of [
      () => gallery.person('nobody'),
      () => gallery.addSample('nobody', sampleOf(1)),
      () => gallery.beginForgetting('nobody', NOW),
    ])
      expect(ask).toThrow(expect.objectContaining({ code: 'PEOPLE_UNKNOWN' }));
  });
});

describe('the key', () => {
  beforeEach(() => {
    const gallery = openGallery();
    gallery.put(anna);
    gallery.addSample(anna.personId, sampleOf(1));
    gallery.close();
    open.splice(0);
  });

  const refusalOf = (work: (gallery: Gallery) => unknown): unknown => {
    const gallery = openGallery();
    try {
      work(gallery);
    } catch (error) {
      return error;
    }
    return null;
  };

  test('that is gone is missed, not made anew, and nothing is lost', () => {
    renameSync(keyPath(), join(dir, 'aside'));
    const works: ((gallery: Gallery) => unknown)[] = [
      (gallery) => gallery.people(),
      (gallery) => gallery.known('test', NOW),
      (gallery) => gallery.put(personCalled('Bob')),
      (gallery) => gallery.addSample(anna.personId, sampleOf(2)),
    ];
    for (const work of works) {
      const refusal = refusalOf(work);
      expect(refusal).toMatchObject({ code: 'PEOPLE_KEY_MISSING' });
      expect((refusal as { remedy: string }).remedy).not.toBe('');
    }
    expect(existsSync(keyPath())).toBe(false);
    renameSync(join(dir, 'aside'), keyPath());
    expect(openGallery().samples(anna.personId)).toEqual([sampleOf(1)]);
  });

  test('of another gallery is wrong, and half a key is none', () => {
    const right = readFileSync(keyPath());
    writeFileSync(keyPath(), Buffer.alloc(32, 1));
    expect(refusalOf((gallery) => gallery.people())).toMatchObject({ code: 'PEOPLE_KEY_WRONG' });
    expect(refusalOf((gallery) => gallery.put(anna))).toMatchObject({ code: 'PEOPLE_KEY_WRONG' });
    writeFileSync(keyPath(), right.subarray(0, 31));
    const refusal = refusalOf((gallery) => gallery.people());
    expect(refusal).toMatchObject({ code: 'PEOPLE_KEY_UNREADABLE' });
    writeFileSync(keyPath(), `${right.toString('hex')}\n`);
    expect(openGallery().people()).toEqual([anna]);
  });

  test('a face that is moved to another person cannot be opened', () => {
    const gallery = openGallery();
    const bob = personCalled('Bob');
    gallery.put(bob);
    const at = Gallery.pathIn(dir);
    gallery.close();
    open.splice(0);
    const bytes = readFileSync(at);
    // Ids of one length, so that one takes the place of the other.
    expect(anna.personId).toHaveLength(bob.personId.length);
    const moved = Buffer.from(
      bytes.toString('latin1').replaceAll(anna.personId, bob.personId.replace(/.$/, '9')),
      'latin1',
    );
    writeFileSync(at, moved);
    const forged = bob.personId.replace(/.$/, '9');
    expect(refusalOf((other) => other.samples(forged))).toMatchObject({ code: 'PEOPLE_KEY_WRONG' });
  });

  test('that is lost keeps nobody from being forgotten', () => {
    rmSync(keyPath());
    const gallery = openGallery();
    gallery.beginForgetting(anna.personId, NOW);
    expect(gallery.forgetting()).toEqual([{ personId: anna.personId, names: [] }]);
  });

  test('a credential of systemd that is not there is not made', () => {
    const credentials = { CREDENTIALS_DIRECTORY: join(dir, 'credentials') };
    const other = join(dir, 'other.db');
    const gallery = new Gallery(other, keyPlace(dir, 'people-key', credentials));
    open.push(gallery);
    expect(() => gallery.put(anna)).toThrow(
      expect.objectContaining({ code: 'PEOPLE_KEY_MISSING' }),
    );
    expect(gallery.sampleCounts().size).toBe(0);
  });
});

describe('forgetting in the gallery', () => {
  test('is noted until its end, and leaves not a byte', () => {
    const gallery = openGallery();
    const many = Array.from({ length: 60 }, (_, n) => personCalled(`Person ${n}`));
    for (const person of [anna, ...many]) {
      gallery.put({ ...person, notes: 'x'.repeat((person.createdMs % 7) * 300) });
      for (let n = 0; n < 4; n++)
        gallery.addSample(person.personId, sampleOf(n, { photo: Buffer.alloc(3000, n) }));
    }
    gallery.put({ ...anna, formerNames: ['Anna Meyer'] });
    gallery.beginForgetting(anna.personId, NOW);
    expect(gallery.known('test', NOW).map(({ personId }) => personId)).not.toContain(anna.personId);
    // As after a crash.
    gallery.close();
    open.splice(0);
    const reopened = openGallery();
    expect(reopened.forgetting()).toEqual([
      { personId: anna.personId, names: ['Anna Ölçer', 'Anna Meyer'] },
    ]);
    // Once more changes nothing.
    reopened.beginForgetting(anna.personId, NOW + 1);
    reopened.endForgetting(anna.personId);
    expect(reopened.forgetting()).toEqual([]);
    expect(filesHolding(dir, anna.personId)).toEqual([]);
    expect(reopened.known('test', NOW)).toHaveLength(60);
    expect(reopened.samples(many[0]!.personId)).toHaveLength(4);
  });
});

describe('an export', () => {
  const PASSPHRASE = 'correct horse battery';

  test('brings everybody to another box, once', () => {
    const gallery = openGallery();
    const bob = personCalled('Bob', { threatLevel: 'watch_list' });
    gallery.put(anna);
    gallery.put(bob);
    gallery.addSample(anna.personId, sampleOf(1, { photo: Buffer.from('photo') }));
    const exported = gallery
      .people()
      .map((person) => ({ person, samples: gallery.samples(person.personId) }));
    const text = writeExport(exported, PASSPHRASE);
    expect(text).not.toContain('Anna');
    expect(() => readExport(text, 'another passphrase')).toThrow(
      expect.objectContaining({ code: 'PEOPLE_EXPORT_INVALID' }),
    );
    expect(() => readExport('{}', PASSPHRASE)).toThrow(
      expect.objectContaining({ code: 'PEOPLE_EXPORT_INVALID' }),
    );
    const people = readExport(text, PASSPHRASE);
    const otherDir = join(dir, 'other');
    const other = openGallery(otherDir);
    const outcomes = () =>
      mergeInto(other, people, NOW).map(({ outcome, newSamples }) => [outcome, newSamples]);
    expect(outcomes().sort()).toEqual([
      ['added', 0],
      ['added', 1],
    ]);
    expect(other.people()).toEqual(gallery.people());
    expect(other.samples(anna.personId)).toEqual(gallery.samples(anna.personId));
    expect(outcomes()).toEqual([
      ['unchanged', 0],
      ['unchanged', 0],
    ]);
  });

  test('what was changed later wins, and old names are kept for the day of forgetting', () => {
    const gallery = openGallery();
    gallery.put(anna);
    const newer = { ...anna, name: 'Anna Schmidt', changedMs: anna.changedMs + 1 };
    const older = { ...anna, name: 'Old', changedMs: anna.changedMs - 1 };
    const merge = (person: typeof anna) => mergeInto(gallery, [{ person, samples: [] }], NOW);
    expect(merge(older)).toMatchObject([{ outcome: 'unchanged' }]);
    expect(merge(newer)).toMatchObject([{ outcome: 'updated' }]);
    expect(gallery.people()).toEqual([{ ...newer, formerNames: ['Anna Ölçer'] }]);
  });

  test('nobody comes in whose time is over, or who is being forgotten', () => {
    const gallery = openGallery();
    gallery.put(anna);
    gallery.beginForgetting(anna.personId, NOW);
    const guest = personCalled('Guest', { expiryDate: '2020-01-01' });
    const people = [anna, guest].map((person) => ({ person, samples: [sampleOf(1)] }));
    expect(mergeInto(gallery, people, NOW).map(({ outcome }) => outcome)).toEqual([
      'being_forgotten',
      'expired',
    ]);
    expect(gallery.people()).toEqual([]);
  });
});
