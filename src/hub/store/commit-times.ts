const COMMIT_MEMORY = 0.05;

/** How long transactions take, their fsync included; milliseconds. */
export class CommitTimes {
  commits = 0;
  averageMs = 0;
  longestMs = 0;

  note(ms: number): void {
    this.commits++;
    this.averageMs += (ms - this.averageMs) * (this.commits === 1 ? 1 : COMMIT_MEMORY);
    this.longestMs = Math.max(this.longestMs, ms);
  }
}
