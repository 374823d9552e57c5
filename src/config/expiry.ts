const DAY_MS = 24 * 3600 * 1000;
const UNITS_MS: Readonly<Record<string, number>> = { d: DAY_MS, h: 3600 * 1000 };

/**
 * A day (`2027-01-31`, good through its end in UTC) or an instant (`2027-01-31T12:00:00Z`) as Unix milliseconds; null
 * for anything else.
 */
export function instantOf(text: string): number | null {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  if (!isDay && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/.test(text))
    return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return null;
  // ECMAScript takes the 31st of a shorter month for a day of the next one.
  if (new Date(Date.parse(text.slice(0, 10))).toISOString().slice(0, 10) !== text.slice(0, 10))
    return null;
  return isDay ? ms + DAY_MS : ms;
}

/** The same, or a time from now on: `90d`, `12h`. Null for what is neither, and for what is over already. */
export function expiryOf(text: string, nowMs: number): number | null {
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? [];
  const ms =
    count === undefined || unit === undefined
      ? instantOf(text)
      : nowMs + Number(count) * (UNITS_MS[unit] ?? 0);
  return ms !== null && ms > nowMs ? ms : null;
}
