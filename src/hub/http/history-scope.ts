import { isInScope, type Scopes } from '../../protocol/scopes.ts';
import type { HistoryQuery } from '../store/history-query.ts';

/**
 * What a token may see of what is asked for. The lists are narrowed so that an index finds it; the scopes have the last
 * word on events of no camera.
 */
export function withinScope(query: HistoryQuery, scopes: Scopes): HistoryQuery {
  return {
    ...query,
    scopes,
    cameras: within(query.cameras, scopes.cameras, [null]),
    types: within(query.types, scopes.receive, []),
  };
}

function within<Value extends string | null>(
  asked: readonly Value[] | null,
  scope: readonly string[],
  always: readonly Value[],
): readonly Value[] | null {
  if (asked !== null) return asked.filter((value) => value === null || isInScope(scope, value));
  return scope.includes('*') ? null : [...(scope as readonly Value[]), ...always];
}
