import type { DeliveredType } from '../protocol/lanes.ts';

/** A message as the box tells it, to the hub and to whoever looks on here. */
export interface LiveMessage {
  readonly type: DeliveredType;
  /** Null for one of several cameras, or of the box itself. */
  readonly cameraId: string | null;
  readonly data: object;
  /** When it happened, Unix milliseconds. */
  readonly wallMs: number;
}

/** Takes what the box tells, at once; whether it can be stored does not matter here. */
export interface LiveFeed {
  publish(message: LiveMessage): void;
}
