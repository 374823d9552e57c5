import type { ObjectEvent } from '../../protocol/payloads.ts';

interface Stay {
  readonly label: string;
  /** Where its picture is, once there is one. */
  readonly snapshotPath: string | null;
}

/** The events of one camera that go on, by what was told of them; and how many there were. Pure. */
export class OpenStays {
  readonly #stays = new Map<string, Stay>();
  #started = 0;
  #ended = 0;

  get started(): number {
    return this.#started;
  }

  get ended(): number {
    return this.#ended;
  }

  /** How many go on, by label. */
  get byLabel(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { label } of this.#stays.values()) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  }

  /** Takes in a message of an event. Returns where its picture is; null where there is none. */
  told({ event_id, label, phase }: ObjectEvent): string | null {
    const snapshotPath = this.#stays.get(event_id)?.snapshotPath ?? null;
    if (phase === 'new') this.#started++;
    if (phase === 'end') this.#ended++;
    if (phase === 'end') this.#stays.delete(event_id);
    else this.#stays.set(event_id, { label, snapshotPath });
    return snapshotPath;
  }

  /** A picture of an event was stored; of one that has ended meanwhile nothing is told any more. */
  pictured(eventId: string, snapshotPath: string): void {
    const stay = this.#stays.get(eventId);
    if (stay !== undefined) this.#stays.set(eventId, { ...stay, snapshotPath });
  }
}
