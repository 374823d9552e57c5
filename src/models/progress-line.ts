export interface PullProgress {
  name: string;
  /** Bytes so far, those of an earlier interrupted pull among them. */
  received: number;
  /** Bytes in all; null when the source does not say. */
  total: number | null;
  bytesPerSecond: number;
}

const MB = 1_000_000;
const LONGEST_BAR = 40;

function megabytes(bytes: number): string {
  return (bytes / MB).toFixed(1);
}

/**
 * One line that says how far a download is.
 *
 * @param width columns of the terminal, for a line with a bar that fits in; null for plain text without one
 */
export function progressLine(progress: PullProgress, width: number | null): string {
  const { name, received, total, bytesPerSecond } = progress;
  const rate = `${megabytes(bytesPerSecond)} MB/s`;
  if (total === null || total === 0) return `${name}  ${megabytes(received)} MB  ${rate}`;
  const share = Math.min(1, received / total);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const amount = `${percent}  ${megabytes(received)} of ${megabytes(total)} MB  ${rate}`;
  const columns =
    width === null ? 0 : Math.min(LONGEST_BAR, width - name.length - amount.length - 5);
  if (columns < 5) return `${name} ${amount}`.slice(0, width ?? undefined);
  const filled = Math.round(share * columns);
  return `${name} [${'#'.repeat(filled)}${'.'.repeat(columns - filled)}] ${amount}`;
}
