/**
 * Brings what several workers finish in any order back into the order of its beginning: a tracker must see
 * frames as they were taken.
 */
export class ResultOrder<Result> {
  readonly #entries: { ticket: symbol; result: Result | null }[] = [];

  /** A piece of work begins. */
  begin(): symbol {
    const ticket = Symbol('ticket');
    this.#entries.push({ ticket, result: null });
    return ticket;
  }

  /** A piece of work is done. Returns what can be handed on now, in order. */
  finish(ticket: symbol, result: Result & object): Result[] {
    const entry = this.#entries.find((each) => each.ticket === ticket);
    if (entry === undefined) throw new RangeError('this work was never begun');
    entry.result = result;
    const firstOpen = this.#entries.findIndex((each) => each.result === null);
    const done = this.#entries.splice(0, firstOpen < 0 ? this.#entries.length : firstOpen);
    return done.flatMap((each) => (each.result === null ? [] : [each.result]));
  }
}
