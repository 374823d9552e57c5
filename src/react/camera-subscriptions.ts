/** Filter entry for all cameras, and for messages that belong to none. */
export const ALL_CAMERAS = '*';
/** Most cameras that one `subscribe` may name. */
const MAX_NAMED = 256;

export interface Wanted {
  readonly cameras: readonly string[];
  /** Absent: from now on. */
  readonly after_event_id?: number;
}

/**
 * The cameras that any component wants, as the one subscription that the server keeps per connection.
 *
 * Event ids ascend, and the server resumes after any of them: what is at or below the cursor was seen. A camera
 * that joins while others are subscribed begins at the server's newest event of that moment (its floor), although
 * the subscription as a whole resumes further back for the sake of the others.
 */
export class CameraSubscriptions {
  readonly #users = new Map<string, number>();
  readonly #floors = new Map<string, number>();
  /** Everything wanted up to this event id was seen; null before the first subscription. */
  #cursor: number | null = null;
  #storeId: string | null = null;

  /** @returns whether the subscription of the connection has to change */
  add(camera: string): boolean {
    const users = this.#users.get(camera) ?? 0;
    this.#users.set(camera, users + 1);
    return users === 0;
  }

  /** @returns whether the subscription of the connection has to change */
  remove(camera: string): boolean {
    const users = this.#users.get(camera) ?? 0;
    if (users > 1) this.#users.set(camera, users - 1);
    if (users !== 1) return false;
    this.#users.delete(camera);
    this.#floors.delete(camera);
    if (this.#users.size === 0) this.#cursor = null;
    return true;
  }

  /**
   * Another database has a history and numbers of its own; what was seen of the old one says nothing about it.
   * @returns whether that breaks off a history of which something was to follow
   */
  enterStore(storeId: string): boolean {
    const isOther = this.#storeId !== null && this.#storeId !== storeId;
    this.#storeId = storeId;
    if (!isOther) return false;
    const isBrokenOff = this.#cursor !== null;
    this.#cursor = null;
    this.#floors.clear();
    return isBrokenOff;
  }

  /**
   * Goes back to the newest event that the server has, where that is older than what was seen: its database was
   * set back, and it will give the numbers in between to other events.
   * @returns the event id that had been seen; null where nothing has to be changed
   */
  rewind(lastEventId: number): number | null {
    const seen = this.#cursor;
    if (seen === null || seen <= lastEventId) return null;
    this.#cursor = lastEventId;
    for (const [camera, floor] of this.#floors)
      this.#floors.set(camera, Math.min(floor, lastEventId));
    return seen;
  }

  /** What to subscribe to; null for nothing. */
  wanted(): Wanted | null {
    if (this.#users.size === 0) return null;
    const isAll = this.#users.has(ALL_CAMERAS) || this.#users.size > MAX_NAMED;
    return {
      cameras: isAll ? [ALL_CAMERAS] : [...this.#users.keys()].sort(),
      ...(this.#cursor !== null && { after_event_id: this.#cursor }),
    };
  }

  /**
   * The server's answer, which comes before the first event of the subscription.
   * @param cameras as they were wanted when the subscription was sent
   */
  confirm(cameras: readonly string[], lastEventId: number): void {
    for (const camera of cameras)
      if (this.#users.has(camera) && !this.#floors.has(camera))
        this.#floors.set(camera, lastEventId);
    this.#cursor ??= lastEventId;
  }

  /** The cameras wanted now, by name, for `confirm`. */
  names(): readonly string[] {
    return [...this.#users.keys()];
  }

  /** Takes note of an event; true if it is new and wanted. */
  accept(eventId: number, cameras: readonly string[]): boolean {
    // Before the first answer these are the rests of an earlier subscription.
    if (this.#cursor === null || eventId <= this.#cursor) return false;
    this.#cursor = eventId;
    return [ALL_CAMERAS, ...cameras].some((camera) => this.#isAbove(eventId, camera));
  }

  #isAbove(eventId: number, camera: string): boolean {
    const floor = this.#floors.get(camera);
    return floor !== undefined && eventId > floor;
  }
}
