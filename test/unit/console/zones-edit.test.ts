import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type EditAction,
  type EditState,
  editStep,
  NOTHING,
  nameFault,
  placesOf,
  SECTIONS,
  zonesOf,
} from '../../../src/console/pages/zones-edit.ts';

const ZONES = {
  zones: { mat: { coordinates: '0.1,0.2,0.3,0.4,0.5,0.6', inertia_s: 2 } },
  lines: { gate: { coordinates: '0,0.5,1,0.5' } },
  masks: {},
  privacy_masks: {},
};

const loaded = editStep(NOTHING, { do: 'load', places: placesOf(ZONES) });
const after = (state: EditState, ...actions: EditAction[]): EditState =>
  actions.reduce(editStep, state);

test('what is not touched stays as it stands in the file, with keys that are not drawn', () => {
  expect(zonesOf(loaded.places)).toEqual(ZONES);
});

test('points move within the picture, are added between two and removed, but for the last that it takes', () => {
  const moved = after(loaded, { do: 'move', point: 0, to: { x: -1, y: 0.123456 } });
  expect(zonesOf(moved.places).zones.mat?.coordinates).toBe('0,0.1235,0.3,0.4,0.5,0.6');
  const more = after(loaded, { do: 'insert', after: 0 });
  expect(more.places[0]?.points).toHaveLength(4);
  expect(more.places[0]?.points[1]?.x).toBeCloseTo(0.2);
  const fewer = after(more, { do: 'delete_point', point: 1 });
  expect(zonesOf(fewer.places)).toEqual(ZONES);
  expect(after(fewer, { do: 'delete_point', point: 0 })).toBe(fewer);
  const line = after(loaded, { do: 'select', index: 1 });
  expect(after(line, { do: 'insert', after: 0 })).toBe(line);
});

test('a point that is drawn along is one step', () => {
  const moved = after(
    loaded,
    { do: 'move', point: 0, to: { x: 0.2, y: 0.2 } },
    { do: 'move', point: 0, to: { x: 0.3, y: 0.2 }, isSame: true },
    { do: 'move', point: 0, to: { x: 0.4, y: 0.2 }, isSame: true },
    { do: 'undo' },
  );
  expect(moved.places).toEqual(loaded.places);
});

test('new places have names of their own', () => {
  const more = after(
    loaded,
    { do: 'add', section: 'zones' },
    { do: 'add', section: 'zones' },
    { do: 'add', section: 'privacy_masks' },
  );
  expect(more.places.map(({ name }) => name)).toEqual([
    'mat',
    'gate',
    'zone_1',
    'zone_2',
    'private_1',
  ]);
  expect(nameFault(more.places)).toBeNull();
  expect(nameFault(after(more, { do: 'rename', name: 'Haus Tür' }).places)).toContain('Haus Tür');
  const twice = after(more, { do: 'select', index: 2 }, { do: 'rename', name: 'mat' });
  expect(nameFault(twice.places)).toContain('two called mat');
});

const action: fc.Arbitrary<EditAction> = fc.oneof(
  fc.record({ do: fc.constant('select' as const), index: fc.integer({ min: -1, max: 5 }) }),
  fc.record({ do: fc.constant('add' as const), section: fc.constantFrom(...SECTIONS) }),
  fc.constant({ do: 'remove' as const }),
  fc.record({ do: fc.constant('rename' as const), name: fc.constantFrom('a', 'b', 'c') }),
  fc.record({
    do: fc.constant('move' as const),
    point: fc.integer({ min: 0, max: 4 }),
    to: fc.record({
      x: fc.double({ min: -1, max: 2, noNaN: true }),
      y: fc.double({ min: -1, max: 2, noNaN: true }),
    }),
  }),
  fc.record({ do: fc.constant('insert' as const), after: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ do: fc.constant('delete_point' as const), point: fc.integer({ min: 0, max: 4 }) }),
);

test('undo brings back each step, and redo each undo', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
      const end = after(loaded, ...actions);
      let back = end;
      while (back.past.length > 0) back = editStep(back, { do: 'undo' });
      expect(back.places).toEqual(loaded.places);
      while (back.future.length > 0) back = editStep(back, { do: 'redo' });
      expect(back.places).toEqual(end.places);
      expect(end.selected).toBeLessThan(Math.max(1, end.places.length + 6));
    }),
  );
});
