import type { StoredItem } from '../store/requests.ts';

/** Cameras that a stored message shows its edge to have: its own, or those of the engine's status. */
export function observedCameras({ type, cameraId, body }: StoredItem): readonly string[] {
  if (type !== 'ai_engine_status') return cameraId === null ? [] : [cameraId];
  const data = JSON.parse(body) as { readonly cameras?: unknown } | null;
  const cameras = data?.cameras;
  if (!Array.isArray(cameras)) return [];
  return cameras.flatMap((camera: unknown) => {
    const id = (camera as { readonly camera_id?: unknown } | null)?.camera_id;
    return typeof id === 'string' && id !== '' && id.length <= MAX_ID ? [id] : [];
  });
}

const MAX_ID = 128;
