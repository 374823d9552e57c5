import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { requestForget } from '../../../src/api/control-client.ts';
import { ControlServer } from '../../../src/api/control-server.ts';
import { EdgePeople, forgetAction, peopleProblems } from '../../../src/edge/people.ts';
import { openEvidenceFolder, removeEvidence } from '../../../src/evidence/evidence-removal.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { Gallery } from '../../../src/people/gallery.ts';
import { keyPlace } from '../../../src/people/key-file.ts';
import type { ObjectEvent } from '../../../src/protocol/payloads.ts';
import { Store } from '../../../src/store/store.ts';
import { type Clock, systemClock } from '../../../src/system/clock.ts';
import { ApexError } from '../../../src/system/errors.ts';
import { LogLines } from '../../support/log-lines.ts';
import { filesHolding } from '../../support/raw-bytes.ts';
import { ManualClock } from '../../unit/hub/manual-clock.ts';
import { embeddingOf, NOW, personCalled, sampleOf } from './people-scene.ts';

const EVENT_ID = '1767225580.000001-abcdef';
const OTHER_EVENT_ID = '1767225580.000002-abcdef';
const ALERT_ID = '1767225580.000003-abcdef';
const OTHER_ALERT_ID = '1767225580.000004-abcdef';
const anna = personCalled('Anna Ölçer');

let dir: string;
let store: Store;
let journal: Journal;
let gallery: Gallery;
let log: LogLines;
const running: EdgePeople[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'apex-edge-people-'));
  log = new LogLines();
  store = await Store.open({ dir, clock: systemClock, log, hasSink: false });
  journal = new Journal({ dir, budgetBytes: 16e6, clock: systemClock, log });
  gallery = new Gallery(Gallery.pathIn(dir), keyPlace(dir, undefined, {}));
});
afterEach(async () => {
  for (const people of running.splice(0)) await people.stop();
  gallery.close();
  await Promise.all([journal.close(), store.close()]);
  rmSync(dir, { recursive: true });
});

function start(
  clock: Clock = systemClock,
  eventStore: Pick<Store, 'eventsAbout' | 'forgetPerson' | 'readmit'> = store,
): EdgePeople {
  const people = new EdgePeople({
    ...{ dataDir: dir, keyFile: undefined, env: {}, clock, log },
    store: eventStore,
    journal,
    live: { forgetPerson: () => undefined },
    evidence: {
      remove: async (shown) => removeEvidence(await openEvidenceFolder(dir, log), shown),
    },
  });
  running.push(people);
  people.begin();
  return people;
}

/** As the commands do, in another connection. */
function enrol(person = anna): void {
  gallery.put(person);
  gallery.addSample(person.personId, sampleOf(1));
}

function keep(folder: string, id: string, ending: string): void {
  const day = join(dir, folder, 'gate/2025-12-31');
  mkdirSync(day, { recursive: true });
  writeFileSync(join(day, `${id}.${ending}`), 'evidence');
}

/** Names of the files that are kept as evidence. */
const kept = () =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(jpg|mp4)$/.test(path))
    .sort();

async function recordEvent(): Promise<void> {
  const event: ObjectEvent = {
    ...{ phase: 'end', event_id: EVENT_ID, camera_id: 'gate', type: 'person', label: 'person' },
    ...{ track_id: 1, start_time: 1, last_seen_time: 2, end_time: 2, score: 0.5, top_score: 0.5 },
    ...{ bounding_box: { x: 0, y: 0, width: 0.1, height: 0.1 }, has_snapshot: false },
    ...{ model: 'm', timestamp: 2 },
    identity: { person_id: anna.personId, name: anna.name, confidence: 1, threat_level: 'safe' },
  };
  await store.recordEvent(event, { wallMs: 2, monoMs: 2, snapshotPath: null });
  journal.event(event);
  // An alert of the event that names nobody, and one of somebody else's.
  for (const [alertId, eventId] of [
    [ALERT_ID, EVENT_ID],
    [OTHER_ALERT_ID, OTHER_EVENT_ID],
  ] as const)
    journal.alert({
      ...{ type: 'loitering_detected', camera_id: 'gate', severity: 'high', timestamp: 2 },
      ...{ alert_id: alertId, data: { event_id: eventId } },
    });
  await journal.flushed();
  keep('faces', EVENT_ID, 'jpg');
  keep('snapshots', EVENT_ID, 'jpg');
  for (const alertId of [ALERT_ID, OTHER_ALERT_ID]) {
    keep('thumbnails', alertId, 'jpg');
    keep('clips', alertId, 'mp4');
  }
}

const namesOf = (people: EdgePeople) => people.known('test').map(({ name }) => name);

/** Everything that could tell of the person: in the clear, and what was sealed is not to be opened any more. */
function traces(): string[] {
  const embedding = Buffer.from(embeddingOf(1).buffer);
  return [anna.name, anna.personId, embedding, 'third floor'].flatMap((text) =>
    filesHolding(dir, text as string | Buffer),
  );
}

describe('the people of an edge', () => {
  test('what a command changes counts within two seconds', async () => {
    const people = start();
    expect(namesOf(people)).toEqual([]);
    enrol();
    const soon = { timeout: 2000, interval: 20 };
    await vi.waitFor(() => expect(namesOf(people)).toEqual(['Anna Ölçer']), soon);
    // Every look at a face asks.
    expect(people.known('test')).toBe(people.known('test'));
  });

  test('who is forgotten is recognised no more, and no file tells of them', async () => {
    const people = start();
    enrol();
    await recordEvent();
    expect(traces()).not.toEqual([]);
    await vi.waitFor(() => expect(namesOf(people)).toEqual(['Anna Ölçer']), { timeout: 5000 });
    const done = people.forget(anna.personId);
    await vi.waitFor(() => expect(namesOf(people)).toEqual([]), { interval: 1 });
    expect(await done).toEqual({ personId: anna.personId, rows: 2, faces: 1, pictures: 3 });
    expect(traces()).toEqual([]);
    expect(filesHolding(dir, EVENT_ID).sort()).toEqual(['journal.db', 'outbox.db']);
    expect(kept()).toEqual([
      `clips/gate/2025-12-31/${OTHER_ALERT_ID}.mp4`,
      `thumbnails/gate/2025-12-31/${OTHER_ALERT_ID}.jpg`,
    ]);
    expect(await journal.history.one(EVENT_ID)).toMatchObject({ person_id: null });
    await expect(people.forget(anna.personId)).rejects.toMatchObject({ code: 'PEOPLE_UNKNOWN' });
  });

  test('who comes back from an export is told again, and only then', async () => {
    const people = start();
    enrol();
    await vi.waitFor(() => expect(namesOf(people)).toEqual(['Anna Ölçer']), { timeout: 5000 });
    await people.forget(anna.personId);
    // A track that goes on still brings the identity along.
    await recordEvent();
    expect(traces()).toEqual([]);
    enrol();
    await vi.waitFor(() => expect(namesOf(people)).toEqual(['Anna Ölçer']), { timeout: 5000 });
    await recordEvent();
    expect(filesHolding(dir, anna.name)).not.toEqual([]);
  });

  test('forgetting that a crash cut short goes on at the next start', async () => {
    enrol();
    await recordEvent();
    gallery.beginForgetting(anna.personId, NOW);
    start();
    await vi.waitFor(() => expect(gallery.forgetting()).toEqual([]), { timeout: 10_000 });
    expect(traces()).toEqual([]);
  });

  test('forgetting that fails is told, noted, and tried again', async () => {
    enrol();
    await recordEvent();
    const clock = new ManualClock();
    let isFull = true;
    const people = start(clock, {
      eventsAbout: (person) => store.eventsAbout(person),
      readmit: (personIds) => store.readmit(personIds),
      forgetPerson: (person, at) =>
        isFull
          ? Promise.reject(new ApexError('STORE_FULL', 'no room'))
          : store.forgetPerson(person, at),
    });
    await expect(people.forget(anna.personId)).rejects.toMatchObject({
      code: 'PEOPLE_FORGETTING',
      message: expect.stringContaining('no room'),
    });
    expect(namesOf(people)).toEqual([]);
    expect(gallery.forgetting()).toHaveLength(1);
    isFull = false;
    clock.advance(11 * 60_000);
    await vi.waitFor(() => expect(gallery.forgetting()).toEqual([]), { timeout: 10_000 });
    expect(traces()).toEqual([]);
  });

  test('whose time is over is left out at once, and forgotten when that was seen twice', async () => {
    const clock = new ManualClock();
    const today = new Date(clock.wallMs()).toISOString().slice(0, 10);
    enrol({ ...anna, expiryDate: today });
    const people = start(clock);
    expect(namesOf(people)).toEqual(['Anna Ölçer']);
    clock.advance(24 * 3600_000 - 1);
    expect(namesOf(people)).toEqual(['Anna Ölçer']);
    clock.advance(1);
    expect(namesOf(people)).toEqual([]);
    expect(gallery.people()).toHaveLength(1);
    for (let minute = 0; minute < 25; minute++) clock.advance(60_000);
    await vi.waitFor(() => expect(traces()).toEqual([]), { timeout: 10_000 });
    expect(gallery.people()).toEqual([]);
  });

  test('without the key nobody is recognised, and the daemon says why, until it is back', async () => {
    enrol();
    renameSync(join(dir, 'keys', 'people.key'), join(dir, 'aside'));
    const people = start();
    expect(namesOf(people)).toEqual([]);
    expect(people.fault).toMatchObject({ code: 'PEOPLE_KEY_MISSING' });
    expect(peopleProblems({ people, peopleFault: null })).toEqual([
      expect.stringContaining('PEOPLE_KEY_MISSING'),
    ]);
    renameSync(join(dir, 'aside'), join(dir, 'keys', 'people.key'));
    await vi.waitFor(() => expect(namesOf(people)).toEqual(['Anna Ölçer']), { timeout: 5000 });
    expect(peopleProblems({ people, peopleFault: null })).toEqual([]);
  });
});

test('the control socket forgets, and says why it does not', async () => {
  const people = start();
  enrol();
  const action = forgetAction({ people, peopleFault: null });
  const server = new ControlServer(dir, {}, { '/people/forget': action });
  await server.start();
  try {
    expect(await requestForget(dir, anna.personId)).toMatchObject({ personId: anna.personId });
    await expect(requestForget(dir, anna.personId)).rejects.toMatchObject({
      code: 'PEOPLE_UNKNOWN',
    });
  } finally {
    await server.stop();
  }
  expect(readFileSync(join(dir, 'people.db')).includes(anna.personId)).toBe(false);
});
