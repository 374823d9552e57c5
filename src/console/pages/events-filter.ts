import type { EventFilter } from '../../protocol/local-api/history.ts';

/** What of events is looked at, as it stands in the address of the page. */
const KEYS = [
  'cameras',
  'labels',
  'zones',
  'severities',
  'reviewed',
  'has_alert',
  'after',
  'before',
] as const;
export type FilterKey = (typeof KEYS)[number];
export type ChosenFilter = Partial<Record<FilterKey, string>>;

export function filterOf(search: string): ChosenFilter {
  const parameters = new URLSearchParams(search);
  const entries = KEYS.flatMap((key) => {
    const value = parameters.get(key);
    return value === null || value === '' ? [] : [[key, value]];
  });
  return Object.fromEntries(entries) as ChosenFilter;
}

/** Without the `?`; empty where nothing is chosen. */
export function searchOf(filter: ChosenFilter): string {
  const entries = KEYS.flatMap((key) => {
    const value = filter[key];
    return value === undefined || value === '' ? [] : [[key, value]];
  });
  return new URLSearchParams(entries).toString();
}

/** As the API takes it: days of the page begin where the browser is. */
export function queryOf({ after, before, ...rest }: ChosenFilter): EventFilter {
  return {
    ...(rest as EventFilter),
    ...(after !== undefined && { after: String(startOfDay(after)) }),
    ...(before !== undefined && { before: String(startOfDay(before) + 86_400_000) }),
  };
}

function startOfDay(day: string): number {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date).getTime();
}
