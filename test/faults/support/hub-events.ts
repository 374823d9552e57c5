export interface HubEvent {
  /** Wall clock, milliseconds. */
  readonly timeMs: number;
}

/** The lines of the hub's log that tell of this event, oldest first. */
export function hubEvents(stdout: string, event: string): readonly HubEvent[] {
  return stdout.split('\n').flatMap((line) => {
    if (!line.includes(JSON.stringify(event))) return [];
    const { time } = JSON.parse(line) as { time: number | string };
    const timeMs = new Date(time).getTime();
    if (Number.isNaN(timeMs)) throw new Error(`no time in the hub's line: ${line}`);
    return [{ timeMs }];
  });
}
