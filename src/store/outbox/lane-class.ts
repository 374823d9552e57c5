import type { Lane } from '../../protocol/lanes.ts';

export type Durability = 'standard' | 'strict';

/** How the messages of a lane are kept. */
export interface LaneClass {
  /** Kept in memory until it is due to be written; otherwise written at once. */
  readonly isHeld: boolean;
  /** Bytes of bodies that may be kept in memory. */
  readonly heldBytes: number;
  /** A newer message of the same type and camera takes the place of the older. */
  readonly isLatest: boolean;
  /** Acknowledged rows are kept for a while. */
  readonly isRetained: boolean;
}

/** Alerts and events are written at once; detections and states when the hub does not answer soon. */
export function classOf(
  lane: Lane,
  { durability, heldBytes }: { readonly durability: Durability; readonly heldBytes: number },
): LaneClass {
  return {
    isHeld: lane === 3 || (lane === 2 && durability === 'standard'),
    heldBytes,
    isLatest: lane === 3,
    isRetained: lane === 0,
  };
}
