import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ForgottenPerson } from '../../../src/people/scrub.ts';
import type { ObjectEvent } from '../../../src/protocol/payloads.ts';
import { filesHolding } from '../../support/raw-bytes.ts';
import { alertOf, eventOf, idOf, JournalScene } from './journal-scene.ts';

const ANNA: ForgottenPerson = { personId: 'p-0f5e6c1a', names: ['Anna Ölçer'] };
const OTHER = 'Bruno Tamm';
const identityOf = (personId: string, name: string): ObjectEvent['identity'] => ({
  ...{ person_id: personId, name, confidence: 0.75, threat_level: 'safe' },
});
const anna = { identity: identityOf(ANNA.personId, ANNA.names[0] ?? '') };
const other = { identity: identityOf('p-other', OTHER) };

let scene: JournalScene;
beforeEach(() => {
  scene = new JournalScene();
});
afterEach(() => scene.end());

const traces = () =>
  [ANNA.personId, ...ANNA.names].flatMap((text) => filesHolding(scene.dir, text));

/** 1000 of hers among as many of his, each with an alert; and what people wrote of them. */
async function fill(): Promise<void> {
  const numbers = Array.from({ length: 2000 }, (_, number) => number);
  await scene.tell(
    numbers.map((number) => eventOf(number, number % 2 === 0 ? anna : other)),
    numbers.slice(0, 20).map((number) => alertOf(number, { data: { event_id: idOf(number) } })),
  );
  // Rows that grow and shrink leave room behind them in which the old ones stand.
  await scene.tell(
    numbers.map((number) =>
      eventOf(number, { ...(number % 2 === 0 ? anna : other), entered_zones: ['yard'] }),
    ),
  );
  const { review } = scene.journal;
  await review.addNote(alertOf(3).alert_id, `this is ${ANNA.names[0]}`, 'kim');
  await review.markReviewed([idOf(1)], ANNA.names[0] ?? '');
}

test('nothing of a person is left in any byte, and everything of others', async () => {
  await fill();
  await scene.restart();
  expect(traces()).toContain('journal.db');
  const found = await scene.journal.mentions(ANNA, []);
  expect(found.eventIds).toHaveLength(1000);
  // Ten alerts about her events, and one with her name in a note.
  expect(found.alertIds).toHaveLength(11);
  const forgotten = await scene.journal.forgetPerson(ANNA, []);
  expect(new Set(forgotten.eventIds)).toEqual(new Set(found.eventIds));
  expect(new Set(forgotten.alertIds)).toEqual(new Set(found.alertIds));
  expect(traces()).toEqual([]);
  expect(await scene.allEvents({ person_id: ANNA.personId })).toEqual([]);
  expect(await scene.allEvents({ person_id: 'p-other' })).toHaveLength(1000);
  expect(await scene.allEvents()).toHaveLength(2000);
  const { history } = scene.journal;
  expect((await history.alert(alertOf(3).alert_id))?.notes).toMatchObject([
    { by: 'kim', text: 'this is a forgotten person' },
  ]);
  expect(await history.one(idOf(1))).toMatchObject({ reviewed_by: 'a forgotten person' });
  // Twice is as good as once.
  expect(await scene.journal.forgetPerson(ANNA, [])).toMatchObject({ rows: 0, eventIds: [] });
});

test('events that tell of nobody are hers where that is known from elsewhere', async () => {
  const alert = alertOf(1, { data: { event_id: idOf(1) } });
  await scene.tell([eventOf(1)], [alert]);
  expect(await scene.journal.forgetPerson(ANNA, [idOf(1)])).toEqual({
    ...{ rows: 0, eventIds: [idOf(1)], alertIds: [alert.alert_id] },
  });
});

test('what waits and what comes in later goes without the person, until they are back', async () => {
  scene.journal.event(eventOf(1, anna));
  expect((await scene.journal.forgetPerson(ANNA, [])).eventIds).toEqual([idOf(1)]);
  await scene.tell([eventOf(2, anna)]);
  expect(traces()).toEqual([]);
  expect(await scene.allEvents()).toEqual([idOf(2), idOf(1)]);
  scene.journal.readmit(new Set([ANNA.personId]));
  await scene.tell([eventOf(3, anna)]);
  expect(await scene.allEvents({ person_id: ANNA.personId })).toEqual([idOf(3)]);
});

test('a damaged journal that was put aside goes with the person', async () => {
  await fill();
  copyFileSync(join(scene.dir, 'journal.db'), join(scene.dir, 'journal.corrupt-1'));
  await scene.journal.forgetPerson(ANNA, []);
  expect(traces()).toEqual([]);
});

test('others write meanwhile', async () => {
  await fill();
  const forgetting = scene.journal.forgetPerson(ANNA, []);
  let isOver = false;
  void forgetting.then(() => {
    isOver = true;
  });
  await scene.tell([eventOf(5000, anna), eventOf(5001, other)]);
  expect(isOver, 'forgotten before anything could be written').toBe(false);
  await forgetting;
  expect(traces()).toEqual([]);
  expect(await scene.allEvents({ person_id: 'p-other' })).toHaveLength(1001);
});
