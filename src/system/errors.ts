import { ERROR_CATALOGUE, type ErrorCode } from './error-catalogue.ts';

export type { ErrorCode } from './error-catalogue.ts';

export interface ApexErrorOptions {
  /** What a person can do about it; the catalogue's remedy when left out. */
  remedy?: string;
  cause?: unknown;
  /** Facts for the log, already free of secrets. */
  details?: Record<string, unknown>;
}

/**
 * Every failure that a person can meet: a stable code, the cause in plain words, a remedy.
 *
 * `message` says what happened this time; `code` never changes between versions; `remedy` says what to do.
 */
export class ApexError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: ApexErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ApexError';
    this.code = code;
    this.remedy = options.remedy ?? ERROR_CATALOGUE[code].remedy;
    this.details = options.details ?? {};
  }

  /** The plain form for status pages, IPC and JSON logs. */
  toJSON(): { code: ErrorCode; message: string; remedy: string } {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

/** Rethrows anything but an ApexError as one with the given code; returns an ApexError unchanged. */
export function asApexError(error: unknown, code: ErrorCode): ApexError {
  if (error instanceof ApexError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApexError(code, message, { cause: error });
}
