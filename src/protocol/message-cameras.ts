/**
 * The cameras that a message is about, each once: that of `camera_id`, or of an alert all of its `camera_ids`. None
 * for a message of the edge itself, and for one whose list cannot be read: it may be about any.
 */
export function camerasOf(type: string, data: unknown): readonly string[] {
  if (typeof data !== 'object' || data === null) return [];
  const { camera_id: id, camera_ids: ids } = data as { camera_id?: unknown; camera_ids?: unknown };
  const own = typeof id === 'string' ? [id] : [];
  if (type !== 'alert_triggered' || ids === undefined) return own;
  if (!Array.isArray(ids) || !ids.every((each) => typeof each === 'string')) return [];
  return [...new Set([...own, ...(ids as string[])])];
}
