import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithin, type ScheduleWindow, SiteClock } from '../../../../src/events/rules/schedule.ts';

const EVERY_DAY = new Set([0, 1, 2, 3, 4, 5, 6]);
const NIGHT: ScheduleWindow = { days: EVERY_DAY, fromMinute: 22 * 60, toMinute: 6 * 60 };
const DAY_MINUTES = 1440;

function minutesOfWeek({ days, fromMinute, toMinute }: ScheduleWindow): number[] {
  const end = toMinute > fromMinute ? toMinute : toMinute + DAY_MINUTES;
  return [...days].flatMap((day) =>
    Array.from(
      { length: end - fromMinute },
      (_, step) => (day * DAY_MINUTES + fromMinute + step) % (7 * DAY_MINUTES),
    ),
  );
}

describe('isWithin', () => {
  test('of hours over midnight belongs to the day on which they begin', () => {
    const friday = [{ ...NIGHT, days: new Set([5]) }];
    expect(isWithin(friday, { day: 5, minute: 23 * 60 })).toBe(true);
    expect(isWithin(friday, { day: 6, minute: 5 * 60 + 59 })).toBe(true);
    expect(isWithin(friday, { day: 6, minute: 6 * 60 })).toBe(false);
    expect(isWithin(friday, { day: 5, minute: 60 }), 'Thursday night').toBe(false);
    expect(isWithin(friday, { day: 6, minute: 23 * 60 })).toBe(false);
  });

  test('is what counting through the minutes of the week says', () => {
    const minute = fc.integer({ min: 0, max: DAY_MINUTES - 1 });
    const window = fc.record({
      days: fc
        .uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 })
        .map((days) => new Set(days)),
      fromMinute: minute,
      toMinute: fc.integer({ min: 0, max: DAY_MINUTES }),
    });
    fc.assert(
      fc.property(
        fc.array(window, { maxLength: 3 }),
        fc.integer({ min: 0, max: 6 }),
        minute,
        (windows, day, at) => {
          const covered = new Set(windows.flatMap(minutesOfWeek));
          expect(isWithin(windows, { day, minute: at })).toBe(covered.has(day * DAY_MINUTES + at));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('SiteClock', () => {
  const berlin = new SiteClock('Europe/Berlin');
  const at = (iso: string) => berlin.at(Date.parse(iso));

  test('shows what a clock on site shows, summer and winter', () => {
    expect(at('2026-01-05T12:00:00Z')).toEqual({ day: 1, minute: 13 * 60 });
    expect(at('2026-07-06T12:34:56Z')).toEqual({ day: 1, minute: 14 * 60 + 34 });
    expect(at('2026-07-05T22:00:00Z'), 'midnight').toEqual({ day: 1, minute: 0 });
    expect(new SiteClock('Asia/Kathmandu').at(0)).toEqual({ day: 4, minute: 330 });
  });

  test('leaves an hour out in spring and has one twice in autumn', () => {
    expect(at('2026-03-29T00:59:00Z').minute).toBe(119);
    expect(at('2026-03-29T01:00:00Z').minute).toBe(180);
    expect(at('2026-10-25T00:30:00Z').minute).toBe(150);
    expect(at('2026-10-25T01:30:00Z').minute).toBe(150);
  });

  test('a night is an hour shorter in spring and longer in autumn', () => {
    const minutesOfNight = (start: string): number => {
      const from = Date.parse(start);
      return Array.from({ length: DAY_MINUTES }, (_, step) =>
        berlin.at(from + step * 60_000),
      ).filter((local) => isWithin([NIGHT], local)).length;
    };
    expect(minutesOfNight('2026-03-27T12:00:00Z')).toBe(480);
    expect(minutesOfNight('2026-03-28T12:00:00Z')).toBe(420);
    expect(minutesOfNight('2026-10-24T12:00:00Z')).toBe(540);
  });

  test('agrees with the date of the time zone at any time', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/St_Johns',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 1.6e12, max: 2e12 }), (zone, ms) => {
        const text = new Date(ms).toLocaleString('en-GB', {
          timeZone: zone,
          hour: '2-digit',
          minute: '2-digit',
        });
        const [hours = 0, minutes = 0] = text.split(':').map(Number);
        expect(new SiteClock(zone).at(ms).minute).toBe((hours % 24) * 60 + minutes);
      }),
    );
  });
});
