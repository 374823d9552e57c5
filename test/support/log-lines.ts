import type { Logger } from '../../src/system/logger.ts';

/** Keeps all that is logged, as text. */
export class LogLines implements Logger {
  readonly lines: string[] = [];
  debug = (fields: object, event: string): void => this.#add('debug', fields, event);
  info = (fields: object, event: string): void => this.#add('info', fields, event);
  warn = (fields: object, event: string): void => this.#add('warn', fields, event);
  error = (fields: object, event: string): void => this.#add('error', fields, event);
  child = (): Logger => this;

  #add(level: string, fields: object, event: string): void {
    const text = JSON.stringify(fields, (_, value: unknown) =>
      value instanceof Error ? String(value) : value,
    );
    this.lines.push(`${level} ${event} ${text}`);
  }
}
