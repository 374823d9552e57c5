/** Hours of the week, as clocks on site show them. */
export interface ScheduleWindow {
  /** On which it begins; 0 is Sunday. */
  readonly days: ReadonlySet<number>;
  /** Minutes of the day, 0..1440. An end at or before the beginning is on the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** What a clock on site shows. */
export interface LocalMinute {
  /** 0 is Sunday. */
  readonly day: number;
  /** 0..1439 */
  readonly minute: number;
}

const MINUTES = 24 * 60;
const MINUTE_MS = 60_000;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Whether a time lies in one of the windows. Their ends are not part of them. */
export function isWithin(
  windows: readonly ScheduleWindow[],
  { day, minute }: LocalMinute,
): boolean {
  return windows.some(({ days, fromMinute, toMinute }) => {
    const isOverNight = toMinute <= fromMinute;
    if (days.has(day) && minute >= fromMinute && (isOverNight || minute < toMinute)) return true;
    return isOverNight && days.has((day + 6) % 7) && minute < toMinute;
  });
}

/**
 * The clock of a time zone of the IANA database. It goes back and forth as those on site do: an hour that comes twice
 * counts twice, one that is left out not at all.
 */
export class SiteClock {
  readonly #format: Intl.DateTimeFormat;
  /** Asked for every frame, while it changes with the minute. */
  #known: { readonly minute: number; readonly local: LocalMinute } | undefined;

  /** @throws RangeError where there is no such zone */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: 'numeric',
      minute: 'numeric',
      hourCycle: 'h23',
    });
  }

  at(wallMs: number): LocalMinute {
    const minute = Math.floor(wallMs / MINUTE_MS);
    if (this.#known?.minute === minute) return this.#known.local;
    const parts = this.#format.formatToParts(minute * MINUTE_MS);
    const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
    const local = {
      day: DAYS.indexOf(part('weekday')),
      minute: (Number(part('hour')) * 60 + Number(part('minute'))) % MINUTES,
    };
    this.#known = { minute, local };
    return local;
  }
}
