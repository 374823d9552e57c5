import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  eventsAbout,
  mayMention,
  namesBeside,
  scrubBody,
  scrubJson,
} from '../../../src/people/scrub.ts';

const ANNA = { personId: 'person-k3x9m2p7qa', names: ['Anna Schmidt'] };
const OTHER = 'person-zzzzzzzzzz';

const faceOf = (personId: string, name: string) => ({
  face_id: 'f-1',
  person_id: personId,
  name,
  confidence: 0.8,
  bounding_box: { x: 0, y: 0, width: 0.1, height: 0.1 },
  is_known: true,
  threat_level: 'watch_list',
});

describe('a body without the person', () => {
  test('faces: the one face becomes that of somebody unknown, the others stay', () => {
    const other = faceOf(OTHER, 'Bob');
    const body = { camera_id: 'gate', timestamp: 1, faces: [faceOf(ANNA.personId, 'Anna'), other] };
    const { person_id: _id, name: _name, ...rest } = faceOf('', '');
    expect(scrubBody(body, ANNA)).toEqual({
      ...body,
      faces: [{ ...rest, is_known: false, threat_level: 'unknown' }, other],
    });
  });

  test('identity of an event', () => {
    const identity = {
      person_id: ANNA.personId,
      name: 'Anna Schmidt',
      confidence: 0.7,
      threat_level: 'safe',
    };
    expect(scrubBody({ event_id: '1', identity }, ANNA)).toEqual({ event_id: '1' });
    const other = { ...identity, person_id: OTHER };
    expect(scrubBody({ identity: other }, ANNA)).toEqual({ identity: other });
  });

  test('an alert: free text, keys and lists too, also by a name that only the body knows', () => {
    const body = {
      type: 'watch_list',
      camera_id: 'gate',
      severity: 'high',
      timestamp: 1,
      data: {
        identity: { person_id: ANNA.personId, name: 'Anna Meyer', confidence: 1 },
        why: 'Anna Meyer (formerly Anna Schmidt) was at the gate',
        seen: { 'Anna Schmidt': 2 },
        people: [ANNA.personId, OTHER],
      },
    };
    expect(scrubBody(body, ANNA)).toEqual({
      ...body,
      data: {
        why: 'a forgotten person (formerly a forgotten person) was at the gate',
        seen: { 'a forgotten person': 2 },
        people: ['a forgotten person', OTHER],
      },
    });
  });

  test('what names something else than a person stays, but for the id, which means nobody else', () => {
    const ann = { personId: ANNA.personId, names: ['gate'] };
    const body = { camera_id: 'gate', label: 'gate', why: 'gate', zone: 'gateway' };
    expect(scrubBody(body, ann)).toEqual({ ...body, why: 'a forgotten person' });
    expect(scrubBody({ camera_id: ANNA.personId }, ann)).toEqual({
      camera_id: 'a forgotten person',
    });
  });

  test('only whole words are names', () => {
    const ann = { personId: ANNA.personId, names: ['Ann', 'Ann.*'] };
    expect(scrubBody('Annual: Ann, Änn, Ann1, (Ann)', ann)).toBe(
      'Annual: a forgotten person, Änn, Ann1, (a forgotten person)',
    );
  });

  test('another person of the same name stays known', () => {
    const body = { faces: [faceOf(OTHER, 'Anna Schmidt')], why: 'Anna Schmidt came' };
    expect(scrubBody(body, ANNA)).toBe(body);
    const both = { faces: [...body.faces, faceOf(ANNA.personId, 'Anna Schmidt')] };
    expect(scrubBody(both, ANNA)).toMatchObject({ faces: [{ name: 'Anna Schmidt' }, {}] });
  });

  test('names out of words of the replacement do not go round for ever', () => {
    const odd = { personId: ANNA.personId, names: ['person'] };
    const body = { identity: { person_id: ANNA.personId, name: 'person' }, why: 'a person' };
    expect(scrubBody(body, odd)).toEqual({ why: 'a person' });
  });

  test('what is no JSON and mentions the person is lost', () => {
    expect(scrubJson(`{"person_id":"${ANNA.personId}"`, ANNA)).toBe('null');
    expect(scrubJson('{"other', ANNA)).toBe('{"other');
  });
});

test('names beside the id are found, and the events that it stands in', () => {
  const body = {
    event_id: 'e-1',
    faces: [
      { event_id: 'e-2', identity: { person_id: ANNA.personId, name: 'A' } },
      { event_id: 'e-3', identity: { person_id: OTHER, name: 'B' } },
    ],
  };
  expect(namesBeside(body, ANNA.personId)).toEqual(['A']);
  expect(namesBeside(body, 'person-nobody')).toBeNull();
  expect(eventsAbout(body, ANNA.personId)).toEqual(['e-1', 'e-2']);
});

describe('whatever the body', () => {
  const name = fc.constantFrom('Anna Schmidt', 'Zoë "Zo" Ölçer', 'O’Neil\n', '李 雷');
  const text = fc.oneof(
    fc.string(),
    name,
    name.map((own) => `${own} was seen`),
    fc.constant(ANNA.personId),
  );
  const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
  const body = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(
        fc.oneof(
          text,
          fc.constantFrom('person_id', 'name', 'why', 'identity', 'data', '__proto__'),
        ),
        tie('node'),
        { maxKeys: 5 },
      ),
    ),
  })).node;

  test('nothing of the person is left, and a second time changes nothing', () => {
    fc.assert(
      fc.property(body, name, (value, own) => {
        const person = { personId: ANNA.personId, names: [own] };
        const json = JSON.stringify(value);
        const scrubbed = scrubJson(json, person);
        expect(scrubbed).not.toContain(person.personId);
        // Texts of the generator hold names as whole words only; a list of another person of that name is left out.
        if (!json.includes('"person_id":"')) expect(mayMention(scrubbed, person)).toBe(false);
        expect(scrubJson(scrubbed, person)).toBe(scrubbed);
      }),
      { numRuns: 2000 },
    );
  });

  test('a body that does not mention the person is the very same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes(ANNA.personId));
        expect(scrubBody(value, ANNA)).toBe(value);
      }),
    );
  });
});
