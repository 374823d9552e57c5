import { CLOSE_CODES, type CloseCode } from '../../protocol/close-codes.ts';

/** How the hub ends a connection: with an `error` frame of this code, then the close. */
export interface Ending {
  readonly close: CloseCode;
  readonly code: string;
  readonly message: string;
  /** How soon the client may try again. */
  readonly retryAfterMs: number;
}

const RETRY_AFTER_MS = 1000;
const AUTH_RETRY_AFTER_MS = 60_000;
/** Somebody else has to leave first. */
const FULL_RETRY_AFTER_MS = 30_000;
/** For the client to begin a new epoch. */
const FORK_RETRY_AFTER_MS = 100;

export const ENDINGS = {
  authFailed: (reason: string) => ending('authFailed', 'auth_failed', reason, AUTH_RETRY_AFTER_MS),
  tooManySessions: () =>
    ending(
      'tryLater',
      'too_many_sessions',
      'as many clients as may be are connected by this token',
      FULL_RETRY_AFTER_MS,
    ),
  cannotServe: (reason: string) => ending('tryLater', 'try_later', reason),
  storeUnavailable: () =>
    ending('tryLater', 'store_unavailable', 'the hub cannot store messages now'),
  fork: () =>
    ending(
      'tryLater',
      'epoch_fork',
      'this client is not the one that was here last; begin a new epoch',
      FORK_RETRY_AFTER_MS,
    ),
  frameTooLarge: (maxBytes: number) =>
    ending('frameTooLarge', 'frame_too_large', `more than ${maxBytes} bytes`),
  overCredit: () =>
    ending('flowViolation', 'flow_violation', 'more than twice the credit, again and again'),
  flood: () =>
    ending(
      'flowViolation',
      'flow_violation',
      'too many frames that need an answer, or that are refused',
    ),
} as const;

function ending(
  close: keyof typeof CLOSE_CODES,
  code: string,
  message: string,
  retryAfterMs = RETRY_AFTER_MS,
): Ending {
  return { close: CLOSE_CODES[close], code, message, retryAfterMs };
}
