import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEventId } from '../../../src/events/event-id.ts';
import { Journal } from '../../../src/journal/journal.ts';
import type { AlertTriggered, ObjectEvent } from '../../../src/protocol/payloads.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { LogLines } from '../../support/log-lines.ts';

/** Noon of a day. */
export const NOON = Date.UTC(2026, 2, 5, 12);
export const BUDGET = 16e6;

/** The id of an event. @param number tells them apart */
export const idOf = (number: number): string => makeEventId(NOON + number * 10, number, () => 0.5);

/** An event of the hundredth second after noon that has this number. */
export function eventOf(number: number, changes: Partial<ObjectEvent> = {}): ObjectEvent {
  const startMs = NOON + number * 10;
  return {
    ...{ phase: 'end', event_id: idOf(number), camera_id: 'gate', type: 'person', label: 'person' },
    ...{ track_id: number, start_time: startMs, last_seen_time: startMs + 5 },
    ...{ end_time: startMs + 5, score: 0.5, top_score: 0.75, model: 'm', timestamp: startMs + 5 },
    ...{ bounding_box: { x: 0, y: 0, width: 0.1, height: 0.1 }, has_snapshot: false },
    ...changes,
  };
}

type StoredAlert = AlertTriggered & { alert_id: string };

export function alertOf(number: number, changes: Partial<AlertTriggered> = {}): StoredAlert {
  return {
    ...{ type: 'loitering_detected', camera_id: 'gate', severity: 'high' },
    ...{ timestamp: NOON + number * 10, data: {} },
    alert_id: makeEventId(NOON + number * 10, number, () => 0.75),
    ...changes,
  } as StoredAlert;
}

/** A journal in a folder of its own. */
export class JournalScene {
  readonly dir = mkdtempSync(join(tmpdir(), 'apex-journal-'));
  readonly log = new LogLines();
  journal = this.#open();

  #open(): Journal {
    return new Journal({ dir: this.dir, budgetBytes: BUDGET, clock: systemClock, log: this.log });
  }

  async tell(events: readonly ObjectEvent[], alerts: readonly AlertTriggered[] = []) {
    for (const alert of alerts) this.journal.alert(alert);
    for (const event of events) this.journal.event(event);
    await this.journal.flushed();
  }

  /** @param before what happens while nothing is open */
  async restart(before: () => void = () => undefined): Promise<void> {
    await this.journal.close();
    before();
    this.journal = this.#open();
  }

  async end(): Promise<void> {
    await this.journal.close();
    rmSync(this.dir, { recursive: true });
  }

  /** All that a query finds, page by page. */
  async allEvents(query: object = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = await this.journal.history.page({ ...query, ...(after !== null && { after }) });
      ids.push(...page.rows.map(({ event_id }) => event_id));
      if (page.next === null) return ids;
      after = page.next;
    }
  }
}
