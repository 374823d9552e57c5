import { type Gap, gapSchema } from '../../protocol/batch.ts';

/** More cameras than this are not told one by one. */
const CAMERAS_TOLD = 64;

/** What is known of messages that are given up. */
export interface LostMessage {
  readonly bytes: number;
  readonly wallMs: number;
  readonly cameraId: string | null;
}

export type GapReason =
  | 'disk_budget'
  | 'ttl'
  | 'superseded'
  | 'unclean_shutdown'
  | 'storage_corruption'
  | 'storage_failure'
  | 'poison';

/** The gap that declares the numbers from the first to the last of messages lost. */
export function gapOver(
  { fromSeq, toSeq }: { fromSeq: number; toSeq: number },
  reason: GapReason,
  lost: readonly LostMessage[],
): Gap {
  const cameras: Record<string, number> = {};
  for (const { cameraId } of lost)
    if (cameraId !== null) cameras[cameraId] = (cameras[cameraId] ?? 0) + 1;
  const times = lost.map(({ wallMs }) => wallMs);
  return {
    from_seq: fromSeq,
    to_seq: toSeq,
    count: lost.length,
    bytes: lost.reduce((sum, { bytes }) => sum + bytes, 0),
    reason,
    ...(times.length > 0 && {
      first_wall_ms: times.reduce((a, b) => Math.min(a, b)),
      last_wall_ms: times.reduce((a, b) => Math.max(a, b)),
    }),
    ...told(cameras),
  };
}

/** One gap in the place of two that touch, or null where they do not belong together. */
export function mergedGap(before: Gap, after: Gap): Gap | null {
  if (before.to_seq + 1 !== after.from_seq || before.reason !== after.reason) return null;
  const cameras = { ...before.by_camera };
  for (const [camera, count] of Object.entries(after.by_camera ?? {}))
    cameras[camera] = (cameras[camera] ?? 0) + count;
  const isComplete = isTold(before) && isTold(after);
  const first = minOf(before.first_wall_ms, after.first_wall_ms);
  const last = maxOf(before.last_wall_ms, after.last_wall_ms);
  return {
    from_seq: before.from_seq,
    to_seq: after.to_seq,
    count: before.count + after.count,
    ...((before.is_lower_bound || after.is_lower_bound) && { is_lower_bound: true }),
    bytes: (before.bytes ?? 0) + (after.bytes ?? 0),
    reason: before.reason,
    ...(first !== undefined && { first_wall_ms: first }),
    ...(last !== undefined && { last_wall_ms: last }),
    ...(isComplete && told(cameras)),
  };
}

/** The part of a gap behind `afterSeq`: how many of the lost messages lie there is known as a limit only. */
export function gapBehind(gap: Gap, afterSeq: number): Gap {
  if (gap.from_seq > afterSeq) return gap;
  const count = Math.min(gap.count, gap.to_seq - afterSeq);
  const { by_camera: _cameras, bytes: _bytes, ...rest } = gap;
  return { ...rest, from_seq: afterSeq + 1, count };
}

export function gapBody(gap: Gap): Buffer {
  return Buffer.from(JSON.stringify(gap));
}

/** Null where the body is no gap. */
export function parseGap(body: Buffer): Gap | null {
  try {
    const parsed = gapSchema.safeParse(JSON.parse(body.toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function told(cameras: Record<string, number>): { by_camera?: Record<string, number> } {
  const count = Object.keys(cameras).length;
  return count > 0 && count <= CAMERAS_TOLD ? { by_camera: cameras } : {};
}

/** A gap that lost messages of cameras and does not name them would make the sum of a merged one wrong. */
function isTold(gap: Gap): boolean {
  return gap.by_camera !== undefined || gap.count === 0;
}

function minOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function maxOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
