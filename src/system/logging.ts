import { pino } from 'pino';
import type { Logger } from './logger.ts';
import { redact, redactText } from './redact.ts';

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where finished lines go. */
interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  level: LogLevel;
  /** The process: `edge`, `vision`, `hub`. */
  name: string;
  /** Standard output when left out, written synchronously so that the last line before an exit is not lost. */
  destination?: LogDestination;
  /** Gets every line too. */
  ring?: { write(line: string): void };
  /** `JOURNAL_STREAM` in it asks for the journal's priority prefixes. */
  env?: NodeJS.ProcessEnv;
}

/** The priorities of syslog (RFC 5424), as the journal reads them from `<N>` before a line (sd-daemon(3)). */
const PRIORITY: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** Fields that every line has; a caller's field of the same name is kept with an underscore after it. */
const RESERVED = new Set(['level', 'time', 'pid', 'name', 'event']);

/**
 * A logger that writes one JSON object a line: `level` (a word), `time` (ISO 8601, UTC), `pid`, `name`,
 * `event`, then the caller's fields. Every value passes the redactor; errors carry code, message, remedy and causes.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level, name, env = process.env } = options;
  const output = options.destination ?? pino.destination({ fd: 1, sync: true });
  const destination = options.ring === undefined ? output : both(output, options.ring);
  return redacting(
    pino(
      {
        level,
        messageKey: 'event',
        base: { pid: process.pid, name },
        timestamp: pino.stdTimeFunctions.isoTime,
        // The redactor has made plain data of errors, which pino's own serializer would take apart again.
        serializers: { err: (value: unknown) => value },
        formatters: { level: (label) => ({ level: label }) },
      },
      env.JOURNAL_STREAM ? withPriority(destination) : destination,
    ),
  );
}

function both(one: LogDestination, other: LogDestination): LogDestination {
  return {
    write(line) {
      one.write(line);
      other.write(line);
    },
  };
}

function redacting(sink: pino.Logger): Logger {
  const at = (level: LogLevel) => (fields: object, event: string) => {
    if (sink.isLevelEnabled(level)) sink[level](safeFields(fields), redactText(event));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => redacting(sink.child(safeFields(fields))),
  };
}

function safeFields(fields: object): Record<string, unknown> {
  const safe = redact(fields instanceof Error ? { err: fields } : fields);
  return Object.fromEntries(
    Object.entries(safe as object).map(([key, value]) => [
      RESERVED.has(key) ? `${key}_` : key,
      value,
    ]),
  );
}

/** pino tells a stream that carries this symbol the level of each line, in `lastLevel`. */
const PINO_METADATA = Symbol.for('pino.metadata');

function withPriority(destination: LogDestination): LogDestination {
  const stream = {
    [PINO_METADATA]: true,
    lastLevel: pino.levels.values.info ?? 0,
    write(line: string): void {
      const label = pino.levels.labels[this.lastLevel] as LogLevel | undefined;
      destination.write(`<${PRIORITY[label ?? 'info']}>${line}`);
    },
  };
  return stream;
}
