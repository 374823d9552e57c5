import { existsSync } from 'node:fs';

/** systemd-timesyncd makes this file once it has set the clock. */
const MARK = '/run/systemd/timesync/synchronized';

/**
 * True where the wall clock is known to be set from the network. Otherwise undefined and not false: other time
 * services leave no such mark, and the kernel's own word (adjtimex) cannot be had from here.
 */
export function isClockSynced(mark: string = MARK): true | undefined {
  return existsSync(mark) ? true : undefined;
}
