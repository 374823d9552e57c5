import { secondsOfMs } from '../../protocol/legacy.ts';
import type { RequestId } from '../session/dialect.ts';

/** A frame as a server of the original protocol writes it. @param wallMs Unix milliseconds */
export function legacyFrame(
  type: string,
  data: unknown,
  wallMs: number,
  requestId?: RequestId,
): string {
  const head = { type, data, timestamp: secondsOfMs(wallMs) };
  return JSON.stringify(
    requestId === undefined || requestId === null ? head : { ...head, request_id: requestId },
  );
}
