import type { BatchAck } from '../../protocol/batch.ts';
import type { Lane } from '../../protocol/lanes.ts';
import type { Rejection } from '../../store/requests.ts';
import type { Logger } from '../../system/logger.ts';
import type { UplinkStore } from '../uplink-store.ts';

/** Refused messages go to the dead letters before their acknowledgement deletes them. */
export function bury(
  { store, log }: { readonly store: UplinkStore; readonly log: Logger },
  lane: Lane | undefined,
  rejected: BatchAck['data']['rejected'],
): void {
  if (rejected.length === 0) return;
  if (lane === undefined) {
    log.warn({ rejected: rejected.length }, 'hub refused messages of an unknown batch');
    return;
  }
  const rejections = rejected.map(
    ({ seq, code, message }): Rejection => ({ lane, seq, code, reason: message }),
  );
  log.warn({ lane, rejections }, 'hub refused messages');
  store
    .deadLetter(rejections)
    .catch((error: unknown) => log.error({ err: error, lane }, 'refused messages not kept'));
}
