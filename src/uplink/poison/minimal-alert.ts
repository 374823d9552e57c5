import { PAYLOADS } from '../../protocol/payloads.ts';
import type { OutgoingMessage } from '../../store/store.ts';
import type { BatchInFlight } from '../sending/window.ts';

const schema = PAYLOADS.alert_triggered.schema;

/**
 * What can be said of an alert that the hub cannot take: that it happened, where, and how bad. Null where not
 * even that can be read, and for such an envelope itself, or a hub that takes neither would get ever more of them.
 */
export function minimalAlert(
  { body, wallMs, monoMs }: NonNullable<BatchInFlight['only']>,
  reason: string,
): OutgoingMessage | null {
  const alert = schema.safeParse(JSON.parse(body));
  if (!alert.success || alert.data.data.original_unreadable === true) return null;
  const { data: _, ...head } = alert.data;
  const data = { original_unreadable: true, reason: reason.slice(0, 500) };
  return {
    type: 'alert_triggered',
    cameraId: head.camera_id ?? null,
    data: { ...head, data },
    wallMs,
    monoMs,
  };
}
