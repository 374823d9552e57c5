import { createHash, timingSafeEqual } from 'node:crypto';

/** What the hub remembers of the session tokens that it gave to one client. */
interface TokenMemory {
  /** Of the newest token; empty for a client that never had one. */
  readonly current: Uint8Array;
  readonly number: number;
  /** Of the token that the client came with when it got the newest; null once it has used the newest. */
  readonly previous: Uint8Array | null;
}

export interface ForkQuestion {
  /** As the client presents it; null where it has none. */
  readonly presented: string | null;
  /** Null for a client that was never here. */
  readonly memory: TokenMemory | null;
  readonly listedEpochs: readonly string[];
  readonly knownEpochs: ReadonlySet<string>;
}

/**
 * `continued`: the client is the one that was here last. `renewed`: perhaps not, but it numbers its messages in an
 * epoch of its own. `regressed`: it knows more than the hub. `forgiven`: as `fork`, and let in all the same.
 */
export type ForkVerdict = 'continued' | 'renewed' | 'regressed' | 'forgiven' | 'fork';

/**
 * Whether two copies of one client (a cloned card, a restored machine image) may be numbering different messages
 * alike. The hub takes a known number for a duplicate, so it would drop the messages of the second copy.
 *
 * A client proves to be the one that was here last with the last session token. The token before is good too, until
 * a frame shows that the new one arrived: an `identification_success` that was lost is no fork. Without proof a
 * client is turned away only while *every* epoch that it lists is known here. A client begins an epoch with every
 * start of its program, and another one on `epoch_fork`; messages still to be sent move into it, and what remains
 * listed of older epochs was written before the copies parted. So, without the right token:
 *
 * - a backup that was restored, a card that was cloned: started anew, lists an epoch of its own, is taken;
 * - a machine image that runs on, the second of two running clones: turned away once, comes back with a new epoch.
 *   Running clones supersede each other for as long as both run; nothing is lost, and the log says so;
 * - a data folder that was emptied: lists no known epoch, is taken;
 * - the hub's own database restored from a backup: the number within the token is higher than any the hub knows to
 *   have given out, so it is the hub that forgot, and the client is taken.
 */
export function forkVerdict(question: ForkQuestion): ForkVerdict {
  const { presented, memory, listedEpochs, knownEpochs } = question;
  if (memory === null || memory.current.length === 0) return 'continued';
  const hash = tokenHash(presented);
  if (isSame(hash, memory.current) || isSame(hash, memory.previous)) return 'continued';
  if (numberOf(presented) > memory.number) return 'regressed';
  const hasOwnEpoch = !listedEpochs.every((epoch) => knownEpochs.has(epoch));
  return hasOwnEpoch || listedEpochs.length === 0 ? 'renewed' : 'fork';
}

/** The empty text stands for a client without a token. */
export function tokenHash(token: string | null): Buffer {
  return createHash('sha256')
    .update(token ?? '')
    .digest();
}

/** `NUMBER.SECRET`. */
export function tokenText(number: number, secret: string): string {
  return `${number}.${secret}`;
}

function numberOf(token: string | null): number {
  const [, digits] = /^(\d{1,15})\./.exec(token ?? '') ?? [];
  return digits === undefined ? 0 : Number(digits);
}

function isSame(hash: Buffer, other: Uint8Array | null): boolean {
  return other !== null && other.length === hash.length && timingSafeEqual(hash, other);
}
