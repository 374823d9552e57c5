import type { Logger } from './logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The logger of a thread, whose lines somebody else writes. */
export function relayedLogger(
  relay: (level: LogLevel, fields: object, event: string) => void,
): Logger {
  const at = (level: LogLevel) => (fields: object, event: string) => relay(level, fields, event);
  const log: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return log;
}
