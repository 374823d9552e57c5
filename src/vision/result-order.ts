interface Work<Result> {
  ticket: symbol;
  /** Empty until it is done, then the one result. */
  results: Result[];
}

/**
 * Brings what several workers finish in any order back into the order of its beginning: a tracker must see
 * frames as they were taken.
 */
export class ResultOrder<Result> {
  readonly #inWork: Work<Result>[] = [];

  /** A piece of work begins. */
  begin(): symbol {
    const ticket = Symbol('ticket');
    this.#inWork.push({ ticket, results: [] });
    return ticket;
  }

  /** A piece of work is done. Returns what can be handed on now, in order. */
  finish(ticket: symbol, result: Result): Result[] {
    const work = this.#inWork.find((each) => each.ticket === ticket);
    if (work === undefined) throw new RangeError('this work was never begun');
    work.results.push(result);
    const firstOpen = this.#inWork.findIndex(({ results }) => results.length === 0);
    const done = firstOpen < 0 ? this.#inWork.length : firstOpen;
    return this.#inWork.splice(0, done).flatMap(({ results }) => results);
  }
}
