import { maySee, type Visitor } from '../access/visitor.ts';
import type { EdgeStatus } from '../edge-status.ts';

/** Of the status what the visitor may see: no other camera, and nothing that may name one. */
export function statusFor(status: EdgeStatus, visitor: Visitor): EdgeStatus {
  if (visitor.cameras === null) return status;
  return {
    ...status,
    cameras: status.cameras.filter(({ camera_id: id }) => maySee(visitor, id)),
    conditions: status.conditions.filter(
      ({ camera_ids: ids }) => ids.length > 0 && ids.every((id) => maySee(visitor, id)),
    ),
    uplink: {
      ...status.uplink,
      url: null,
      camera_conflicts: status.uplink.camera_conflicts.filter((id) => maySee(visitor, id)),
    },
    config_problems: [],
  };
}
