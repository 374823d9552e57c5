import type { LogLevel } from './relayed-logger.ts';

/** One line of the log, as it was written. */
export type LogLine = Record<string, unknown>;

const MOST_LINES = 2000;
const MOST_CHARACTERS = 2_000_000;
const ORDER: readonly string[] = ['debug', 'info', 'warn', 'error'];
/** Of the journal of systemd, before a line. */
const PRIORITY = /^<\d>/;

/** The newest lines of this process's log. They have passed the redactor. */
export class LogRing {
  #lines: string[] = [];
  #characters = 0;

  write(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length;
    while (this.#lines.length > MOST_LINES || this.#characters > MOST_CHARACTERS)
      this.#characters -= this.#lines.shift()?.length ?? 0;
  }

  /** Lines of at least that level, the oldest first. */
  newest(most: number, level: LogLevel): LogLine[] {
    const least = ORDER.indexOf(level);
    const found: LogLine[] = [];
    for (let index = this.#lines.length - 1; index >= 0 && found.length < most; index--) {
      const line = lineOf(this.#lines[index] ?? '');
      if (line !== null && ORDER.indexOf(String(line.level)) >= least) found.push(line);
    }
    return found.reverse();
  }
}

function lineOf(text: string): LogLine | null {
  try {
    return JSON.parse(text.replace(PRIORITY, '')) as LogLine;
  } catch {
    return null;
  }
}
