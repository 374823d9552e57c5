import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';

/** Ends the events that were open when the last daemon died: nobody saw them end. */
export async function closeOpenEvents(store: Store, clock: Clock, log: Logger): Promise<void> {
  const open = await store.openEvents();
  for (const { event, snapshotPath } of open) {
    const wallMs = clock.wallMs();
    await store.recordEvent(
      {
        ...event,
        phase: 'end',
        end_time: event.last_seen_time,
        end_reason: 'restart',
        timestamp: wallMs,
      },
      { wallMs, monoMs: clock.monotonicMs(), snapshotPath },
    );
  }
  if (open.length > 0) log.warn({ events: open.length }, 'events left open by a crash were ended');
}
