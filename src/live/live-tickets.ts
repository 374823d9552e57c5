import { createHash } from 'node:crypto';
import type { HubToken, TokenVerdict } from '../hub/door/tokens.ts';
import type { AdmittedTokens } from '../hub/hub-context.ts';
import type { ClientType } from '../protocol/session.ts';
import type { Clock } from '../system/clock.ts';

/** Who a ticket is for. */
export interface TicketOwner {
  /** What they may do; of the permanent token that they have shown. */
  readonly token: HubToken;
  /** Null where they showed the token itself. */
  readonly sessionId: string | null;
}

export interface Ticket {
  readonly ticket: string;
  readonly expiresMs: number;
}

export interface LiveTicketsOptions {
  readonly tokens: AdmittedTokens;
  /** Whether a session goes on. */
  readonly isOpen: (sessionId: string) => boolean;
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  /** 256 random bits as text. */
  readonly newSecret: () => string;
}

interface OpenTicket {
  readonly token: HubToken;
  readonly untilMs: number;
}

/** To connect with; a page asks for another one with each connection. */
const GOOD_MS = 30_000;
/** More are asked for by nobody who means it: the oldest are void then. */
const MOST = 1024;

/**
 * Who may come in at `/ws` of a box: owners of its tokens, and who has a ticket. A page cannot show the cookie of its
 * session in a frame, so it asks for a ticket, which is good for one connection and soon void.
 */
export class LiveTickets implements AdmittedTokens {
  readonly #options: LiveTicketsOptions;
  readonly #open = new Map<string, OpenTicket>();
  /** By digest of the token of a connection: whose it is. */
  readonly #owners = new Map<string, TicketOwner>();

  constructor(options: LiveTicketsOptions) {
    this.#options = options;
  }

  issue(owner: TicketOwner): Ticket {
    const { clock, newSecret } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const [digest, { untilMs }] of this.#open)
      if (untilMs <= nowMs || this.#open.size >= MOST) this.#open.delete(digest);
    this.#forgetEnded();
    const ticket = newSecret();
    const token = this.#tokenFor(owner);
    this.#open.set(digestOf(ticket), { token, untilMs: nowMs + GOOD_MS });
    return { ticket, expiresMs: Math.round(clock.wallMs()) + GOOD_MS };
  }

  get all(): readonly HubToken[] {
    return this.#options.tokens.all;
  }

  /** A ticket that is shown is used up. */
  check(presented: string, clientType: ClientType | 'any', nowMs: number): TokenVerdict {
    const { tokens, clock } = this.#options;
    if (clientType === 'ai_engine')
      return { isAdmitted: false, reason: 'a box takes messages of nobody' };
    const digest = digestOf(presented);
    const found = this.#open.get(digest);
    this.#open.delete(digest);
    if (found === undefined) return tokens.check(presented, 'any', nowMs);
    if (found.untilMs <= clock.monotonicMs())
      return { isAdmitted: false, reason: 'the ticket is void by now' };
    const fault = this.faultOf(found.token, nowMs);
    if (fault !== null) return { isAdmitted: false, reason: fault };
    return { isAdmitted: true, token: found.token };
  }

  /** A connection ends with the session that it was made from. */
  faultOf(token: HubToken, nowMs: number): string | null {
    const { tokens, isOpen } = this.#options;
    const owner = this.#owners.get(token.sha256);
    if (owner === undefined) return tokens.faultOf(token, nowMs);
    if (owner.sessionId !== null && !isOpen(owner.sessionId)) {
      this.#owners.delete(token.sha256);
      return 'the session has ended';
    }
    return tokens.faultOf(owner.token, nowMs);
  }

  noteUse(token: HubToken, nowMs: number): void {
    this.#options.tokens.noteUse(this.#owners.get(token.sha256)?.token ?? token, nowMs);
  }

  /** What is left of their connections is ended as that of an unknown token. */
  #forgetEnded(): void {
    for (const [sha256, { sessionId }] of this.#owners)
      if (sessionId !== null && !this.#options.isOpen(sessionId)) this.#owners.delete(sha256);
  }

  /** Connections of one session have one token, so that they end together. */
  #tokenFor(owner: TicketOwner): HubToken {
    const { token, sessionId } = owner;
    if (sessionId === null) return token;
    const sha256 = digestOf(`${sessionId}/${token.sha256}`);
    this.#owners.set(sha256, owner);
    return { ...token, sha256 };
  }
}

/** Of 256 random bits: see `checkToken` for why a plain digest is enough. */
function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
