// Which event ids there were and in which order, in three numbers: millions of them are compared without keeping them.

const PRIME = 0x01000193;

/** The same for two sequences that are the same. Another one differs by count and last, or but for one in 2^32. */
export class IdTrail {
  count = 0;
  last = 0;
  hash = 0x811c9dc5;

  add(eventId) {
    this.count++;
    this.last = eventId;
    this.hash = Math.imul(this.hash ^ eventId, PRIME);
  }

  equals({ count, last, hash }) {
    return this.count === count && this.last === last && this.hash === hash;
  }
}
