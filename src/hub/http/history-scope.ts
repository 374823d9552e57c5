import { isInScope, type Scopes } from '../../protocol/scopes.ts';
import type { HistoryQuery } from '../store/history-query.ts';

/** What a token may see of what is asked for. Events of no camera pass every scope of cameras. */
export function withinScope(query: HistoryQuery, scopes: Scopes): HistoryQuery {
  return {
    ...query,
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
