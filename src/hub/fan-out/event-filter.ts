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
  readonly cameraId: string | null;
  readonly severity: string | null;
}

/**
 * Whether an event passes. One without a camera passes only a filter that asks for all of them, one without a
 * severity passes every list of severities.
 */
export function matches(filter: EventFilter, { type, cameraId, severity }: EventTraits): boolean {
  const { types, cameras, severities, scopes } = filter;
  if (types !== null && !types.includes(type)) return false;
  if (cameras !== null && (cameraId === null || !cameras.includes(cameraId))) return false;
  if (severities !== null && severity !== null && !severities.includes(severity)) return false;
  return mayReceive(scopes, type, cameraId);
}

function wanted(entries: readonly string[]): readonly string[] | null {
  return entries.includes(EVERYTHING) ? null : entries;
}
