import { mayReceive, type Scopes } from '../../protocol/scopes.ts';
import type { Subscribe } from '../../protocol/subscription.ts';
import type { EventFilter } from '../store/requests.ts';

const EVERYTHING = '*';

/** What a subscriber is shown of events: what its `subscribe` frame asks for, within the scopes of its token. */
export function filterOf(
  { types, cameras, severities }: Subscribe['data'],
  scopes: Scopes,
): EventFilter {
  return {
    types: wanted(types),
    cameras: wanted(cameras),
    severities: severities ?? null,
    scopes,
  };
}

/** Everything that the scopes of a token allow. */
export function everythingWithin(scopes: Scopes): EventFilter {
  return { types: null, cameras: null, severities: null, scopes };
}

/** The part of what is asked for that a scope allows; `*` for all in either. */
export function withinScope(asked: readonly string[], scope: readonly string[]): string[] {
  if (scope.includes(EVERYTHING)) return [...asked];
  if (asked.includes(EVERYTHING)) return [...scope];
  return asked.filter((entry) => scope.includes(entry));
}

/** What of an event decides who is shown it. */
export interface EventTraits {
  readonly type: string;
  /** That it is about. */
  readonly cameras: readonly string[];
  readonly severity: string | null;
}

/**
 * Whether an event passes. One without a camera passes only a filter that asks for all of them, one of several passes
 * where one of them does; one without a severity passes every list of severities.
 */
export function matches(filter: EventFilter, { type, cameras, severity }: EventTraits): boolean {
  const { types, cameras: asked, severities, scopes } = filter;
  if (types !== null && !types.includes(type)) return false;
  if (severities !== null && severity !== null && !severities.includes(severity)) return false;
  // One camera has to be both asked for and allowed: asking for a foreign one gets nothing of the own.
  const wanted = asked === null ? cameras : cameras.filter((id) => asked.includes(id));
  return (asked === null || wanted.length > 0) && mayReceive(scopes, type, wanted);
}

function wanted(entries: readonly string[]): readonly string[] | null {
  return entries.includes(EVERYTHING) ? null : entries;
}
