import { expect, test } from 'vitest';
import { changedPerson, newPerson, type PersonFacts } from '../../../src/people/person-input.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const facts: PersonFacts = {
  ...{ name: ' Zoe\u0308 ', role: 'tenant', threatLevel: 'safe', notes: '' },
  ...{ consentDate: '2026-01-31', expiryDate: '2026-11-24' },
};
const made = { slug: 'person', random: new Uint8Array(16), nowMs: NOW };
const anna = newPerson(facts, made);

test('a name is kept as people read it, and its day goes on to its end', () => {
  expect(anna).toMatchObject({ name: 'Zo\u00eb', createdMs: NOW, changedMs: NOW, formerNames: [] });
});

test.each<[string, Partial<PersonFacts>]>([
  ['no name', { name: '  ' }],
  ['a name with a line end', { name: 'a\nb' }],
  ['a day that is none', { consentDate: '2026-02-31' }],
  ['an end that was yesterday', { expiryDate: '2026-11-23' }],
  ['notes without end', { notes: 'x'.repeat(10_001) }],
])('%s is refused', (_, wrong) => {
  const code = expect.objectContaining({ code: 'PEOPLE_OPTION' });
  expect(() => newPerson({ ...facts, ...wrong }, made)).toThrow(code);
  expect(() => changedPerson(anna, wrong, NOW)).toThrow(code);
});

test('former names are remembered, so that they can be forgotten', () => {
  const renamed = changedPerson(
    changedPerson(anna, { name: 'Ann' }, NOW + 1),
    { name: 'Anna' },
    NOW + 2,
  );
  expect(renamed).toMatchObject({
    name: 'Anna',
    formerNames: ['Zo\u00eb', 'Ann'],
    changedMs: NOW + 2,
  });
  expect(changedPerson(renamed, { role: 'staff' }, NOW + 3).formerNames).toEqual([
    'Zo\u00eb',
    'Ann',
  ]);
});

test('who expires by now can still be changed in something else', () => {
  const late = NOW + 5 * 86_400_000;
  expect(changedPerson(anna, { notes: 'moved' }, late).notes).toBe('moved');
});
