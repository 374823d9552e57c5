/** The camera that a message is about; null for one of none. */
export function cameraOf(data: unknown): string | null {
  if (typeof data !== 'object' || data === null) return null;
  const { camera_id: id } = data as { camera_id?: unknown };
  return typeof id === 'string' ? id : null;
}
