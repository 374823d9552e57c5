import type { Zones } from '../../protocol/local-api/configuration.ts';

export const SECTIONS = ['zones', 'lines', 'masks', 'privacy_masks'] as const;
export type Section = (typeof SECTIONS)[number];

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A place in the picture, being drawn. */
export interface Place {
  readonly section: Section;
  readonly name: string;
  readonly points: readonly Point[];
  /** All else that the configuration says of it. */
  readonly others: Readonly<Record<string, unknown>>;
}

export interface EditState {
  readonly places: readonly Place[];
  /** -1 for none. */
  readonly selected: number;
  readonly past: readonly (readonly Place[])[];
  readonly future: readonly (readonly Place[])[];
}

export type EditAction =
  | { readonly do: 'load'; readonly places: readonly Place[] }
  | { readonly do: 'select'; readonly index: number }
  | { readonly do: 'add'; readonly section: Section }
  | { readonly do: 'remove' }
  | { readonly do: 'rename'; readonly name: string }
  | { readonly do: 'move'; readonly point: number; readonly to: Point; readonly isSame?: boolean }
  | { readonly do: 'insert'; readonly after: number }
  | { readonly do: 'delete_point'; readonly point: number }
  | { readonly do: 'undo' | 'redo' };

export const NOTHING: EditState = { places: [], selected: -1, past: [], future: [] };

const MOST_STEPS = 100;
const LEAST_POINTS: Readonly<Record<Section, number>> = {
  zones: 3,
  lines: 2,
  masks: 3,
  privacy_masks: 3,
};

/** What a step of drawing makes of the places. */
export function editStep(state: EditState, action: EditAction): EditState {
  switch (action.do) {
    case 'load':
      return { ...NOTHING, places: action.places, selected: action.places.length > 0 ? 0 : -1 };
    case 'select':
      return { ...state, selected: action.index };
    case 'undo':
      return travelled(state, 'past', 'future');
    case 'redo':
      return travelled(state, 'future', 'past');
    case 'add': {
      const places = [...state.places, fresh(action.section, state.places)];
      return { ...changed(state, places), selected: places.length - 1 };
    }
    case 'remove': {
      const places = state.places.filter((_, index) => index !== state.selected);
      return { ...changed(state, places), selected: Math.min(state.selected, places.length - 1) };
    }
    default:
      return pointStep(state, action);
  }
}

function pointStep(
  state: EditState,
  action: Extract<EditAction, { do: 'rename' | 'move' | 'insert' | 'delete_point' }>,
): EditState {
  const place = state.places[state.selected];
  if (place === undefined) return state;
  const next = placeStep(place, action);
  if (next === place) return state;
  const places = state.places.map((each, index) => (index === state.selected ? next : each));
  // Moving on is one step, however many places the point went through.
  if (action.do === 'move' && action.isSame === true) return { ...state, places };
  return changed(state, places);
}

function placeStep(
  place: Place,
  action: Extract<EditAction, { do: 'rename' | 'move' | 'insert' | 'delete_point' }>,
): Place {
  const { points, section } = place;
  if (action.do === 'rename') return { ...place, name: action.name };
  if (action.do === 'move') {
    const to = { x: within(action.to.x), y: within(action.to.y) };
    return {
      ...place,
      points: points.map((point, index) => (index === action.point ? to : point)),
    };
  }
  if (action.do === 'delete_point')
    return points.length <= LEAST_POINTS[section]
      ? place
      : { ...place, points: points.filter((_, index) => index !== action.point) };
  if (section === 'lines' || points.length >= 64) return place;
  const [from, to] = [points[action.after], points[(action.after + 1) % points.length]];
  if (from === undefined || to === undefined) return place;
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  return { ...place, points: points.toSpliced(action.after + 1, 0, middle) };
}

function changed(state: EditState, places: readonly Place[]): EditState {
  const past = [...state.past, state.places].slice(-MOST_STEPS);
  return { ...state, places, past, future: [] };
}

function travelled(state: EditState, from: 'past' | 'future', to: 'past' | 'future'): EditState {
  const places = state[from].at(-1);
  if (places === undefined) return state;
  const steps = { [from]: state[from].slice(0, -1), [to]: [...state[to], state.places] };
  return { ...state, ...steps, places, selected: Math.min(state.selected, places.length - 1) };
}

function fresh(section: Section, places: readonly Place[]): Place {
  const kind = section === 'privacy_masks' ? 'private' : section.slice(0, -1);
  const taken = new Set(places.filter((each) => each.section === section).map(({ name }) => name));
  let number = 1;
  while (taken.has(`${kind}_${number}`)) number++;
  const points =
    section === 'lines'
      ? [
          { x: 0.3, y: 0.5 },
          { x: 0.7, y: 0.5 },
        ]
      : [
          { x: 0.35, y: 0.35 },
          { x: 0.65, y: 0.35 },
          { x: 0.65, y: 0.65 },
          { x: 0.35, y: 0.65 },
        ];
  return { section, name: `${kind}_${number}`, points, others: {} };
}

function within(share: number): number {
  return Math.min(1, Math.max(0, Math.round(share * 10_000) / 10_000));
}

/** The places of a configuration, for drawing. */
export function placesOf(zones: Zones): Place[] {
  return SECTIONS.flatMap((section) =>
    Object.entries(zones[section]).map(([name, { coordinates, ...others }]): Place => {
      const numbers = coordinates.split(',').map(Number);
      const points = numbers.flatMap((x, at) =>
        at % 2 === 0 ? [{ x, y: numbers[at + 1] ?? 0 }] : [],
      );
      return { section, name, points, others };
    }),
  );
}

/** And back. Of two places of one name in a section the later one counts. */
export function zonesOf(places: readonly Place[]): Zones {
  const section = (wanted: Section) =>
    Object.fromEntries(
      places
        .filter((place) => place.section === wanted)
        .map(({ name, points, others }) => [name, { ...others, coordinates: textOf(points) }]),
    );
  return {
    zones: section('zones'),
    lines: section('lines'),
    masks: section('masks'),
    privacy_masks: section('privacy_masks'),
  };
}

/** What is wrong with the names; null where nothing is. */
export function nameFault(places: readonly Place[]): string | null {
  const bad = places.find(({ name }) => !/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name));
  if (bad !== undefined)
    return `“${bad.name}”: a name has lower-case letters, digits, - and _, and begins with a letter or digit.`;
  const keys = places.map(({ section, name }) => `${section} ${name}`);
  const twice = keys.find((key, index) => keys.indexOf(key) < index);
  return twice === undefined ? null : `There are two called ${twice.split(' ')[1]}.`;
}

function textOf(points: readonly Point[]): string {
  return points.map(({ x, y }) => `${x},${y}`).join(',');
}
