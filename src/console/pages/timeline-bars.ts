/** What happened on one day or in one hour. */
export interface Bar {
  /** Unix milliseconds. */
  readonly beginMs: number;
  readonly events: number;
  readonly alerts: number;
}

interface Entry {
  readonly begin_ms: number;
  readonly events: number;
  readonly alerts: number;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly per: 'hour' | 'day';
}

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = 14;

/** Two weeks by the day, or one day by the hour. @param day `2026-11-24`; undefined for the two weeks until now */
export function spanOf(day: string | undefined, nowMs: number): Span {
  if (day === undefined) {
    const today = startOfDay(new Date(nowMs));
    return { fromMs: today - (DAYS - 1) * DAY_MS, toMs: today + DAY_MS, per: 'day' };
  }
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  const fromMs = new Date(year, month - 1, date).getTime();
  return { fromMs, toMs: fromMs + DAY_MS, per: 'hour' };
}

/** A bar for each day or hour, also for those in which nothing was; of several cameras together. */
export function barsOf(entries: readonly Entry[], { fromMs, toMs, per }: Span): Bar[] {
  const step = per === 'day' ? DAY_MS : HOUR_MS;
  const count = Math.max(1, Math.round((toMs - fromMs) / step));
  const bars = Array.from({ length: count }, (_, index) => ({
    ...{ beginMs: fromMs + index * step, events: 0, alerts: 0 },
  }));
  for (const entry of entries) {
    const bar = bars[Math.floor((entry.begin_ms - fromMs) / step)];
    if (bar === undefined) continue;
    bar.events += entry.events;
    bar.alerts += entry.alerts;
  }
  return bars;
}

/** `2026-11-24`, where the browser is. */
export function dayOf(ms: number): string {
  const date = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
