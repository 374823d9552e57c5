const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const PATTERN = /^(\d{1,10})\.\d{6}-[a-z0-9]{6}$/;

/**
 * `<epoch seconds with six decimals>-<six characters>`, as Frigate's. The last three of the decimals count the
 * tracks of the camera, so two events of one camera never share an id, even when both begin in one frame.
 *
 * @param random 0 up to 1, as Math.random
 */
export function makeEventId(startMs: number, trackId: number, random: () => number): string {
  const seconds = Math.floor(startMs / 1000);
  const millis = String(Math.floor(startMs) - seconds * 1000).padStart(3, '0');
  const count = String(trackId % 1000).padStart(3, '0');
  const suffix = Array.from(
    { length: 6 },
    () => ALPHABET[Math.min(Math.floor(random() * ALPHABET.length), ALPHABET.length - 1)],
  );
  return `${seconds}.${millis}${count}-${suffix.join('')}`;
}

/** The day (UTC, yyyy-mm-dd) on which the event began; null for what is not an event id. */
export function dayOfEvent(eventId: string): string | null {
  const seconds = PATTERN.exec(eventId)?.[1];
  if (seconds === undefined) return null;
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().slice(0, 10);
}
