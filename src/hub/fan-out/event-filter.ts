import { mayReceive, type Scopes } from '../../protocol/scopes.ts';
import type { Subscribe } from '../../protocol/subscription.ts';
import type { EventFilter } from '../store/requests.ts';

const EVERYTHING = '*';

/** What a `subscribe` frame asks for; an entry `*` stands for all types or cameras. */
export function filterOf({ types, cameras }: Subscribe['data'], scopes?: Scopes): EventFilter {
  return { types: wanted(types), cameras: wanted(cameras), scopes };
}

/** Whether an event passes. One without a camera passes only a filter that asks for all of them. */
export function matches(
  filter: EventFilter,
  event: { readonly type: string; readonly cameraId: string | null },
): boolean {
  const { scopes } = filter;
  if (scopes !== undefined && !mayReceive(scopes, event.type, event.cameraId)) return false;
  if (filter.types !== null && !filter.types.includes(event.type)) return false;
  if (filter.cameras === null) return true;
  return event.cameraId !== null && filter.cameras.includes(event.cameraId);
}

function wanted(entries: readonly string[]): readonly string[] | null {
  return entries.includes(EVERYTHING) ? null : entries;
}
