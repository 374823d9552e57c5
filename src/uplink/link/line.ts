import type { Ending } from '../../protocol/reconnection.ts';
import type { ErrorFrame } from '../../protocol/session.ts';
import type { ErrorCode } from '../../system/errors.ts';
import type { Payload } from '../dialect/dialect.ts';

/** The connection, as the phases of a session use it. */
export interface Line {
  readonly bufferedBytes: number;
  /** @param onWritten called when the kernel has taken the payload */
  send(payload: Payload, onWritten?: () => void): void;
  ping(): void;
  /** Takes note of an `error` frame, and returns it with a message that is safe to show. */
  note(error: ErrorFrame['data']): ErrorFrame['data'];
  /** Ends the connection for a fault; `lost` unless it is said how. */
  fail(code: ErrorCode, message: string, ending?: Ending): void;
  /** Ends the connection, to begin another at once. */
  renew(reason: string): void;
  /** Gives what is queued to a new epoch, and ends the connection. */
  renewEpoch(reason: string): void;
  /** The hub is about to end it, and said when to come back. */
  drain(reconnectAfterMs: number): void;
  /** Ends the connection at once, without a reason of this side's. */
  terminate(): void;
}
