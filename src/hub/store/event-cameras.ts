import { camerasOf } from '../../protocol/message-cameras.ts';

/** What of a stored event tells its cameras. */
interface StoredCameras {
  readonly type: string;
  /** Of its column, where it is of exactly one camera. */
  readonly cameraId: string | null;
  /** JSON text; it is looked at for an alert without that. */
  readonly body: string | null;
}

/** The cameras that a stored event is about. Live events and those from the table are judged by this one function. */
export function camerasOfEvent({ type, cameraId, body }: StoredCameras): readonly string[] {
  if (cameraId !== null) return [cameraId];
  return type === 'alert_triggered' && body !== null ? camerasOf(type, JSON.parse(body)) : [];
}

/** The column of an event: null unless it is of exactly one camera. */
export function cameraColumn(cameras: readonly string[]): string | null {
  return cameras.length === 1 ? (cameras[0] ?? null) : null;
}
