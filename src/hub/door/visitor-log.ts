import type { Clock } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import { type Rate, TokenBucket } from '../ingest/token-bucket.ts';

/** Of each event. A fleet that comes back is told of whole; the journal of systemd takes 333 lines a second. */
const RATE: Rate = { perS: 5, burst: 1000 };

/** How often an event may be told still, and how often it was not since it last was. */
interface Budget {
  readonly lines: TokenBucket;
  leftOut: number;
}

type Budgets = Map<string, Budget>;

/**
 * Log of what visitors bring about, as often as they like. Of each event so many lines are written, and then a few a
 * second, with `left_out`: how many were not before this one. Errors are the hub's own and always written.
 */
export function visitorLog(log: Logger, clock: Clock, budgets: Budgets = new Map()): Logger {
  const write = (level: 'debug' | 'info' | 'warn') => {
    return (fields: object, event: string): void => {
      const nowMs = clock.monotonicMs();
      const budget = budgets.get(event) ?? { lines: new TokenBucket(RATE, nowMs), leftOut: 0 };
      budgets.set(event, budget);
      if (budget.lines.level(nowMs) < 1) {
        budget.leftOut++;
        return;
      }
      budget.lines.take(1, nowMs);
      const { leftOut } = budget;
      budget.leftOut = 0;
      log[level](leftOut === 0 ? fields : { ...fields, left_out: leftOut }, event);
    };
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: (fields, event) => log.error(fields, event),
    child: (fields) => visitorLog(log.child(fields), clock, budgets),
  };
}
