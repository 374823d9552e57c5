import type { HubToken } from '../door/tokens.ts';
import type { SessionContext } from '../hub-context.ts';
import { HttpProblem } from './problem.ts';

/** Refusals that wait for their answer at the same time; more are answered at once, with 429. */
const MAX_HELD = 256;

type Door = Pick<SessionContext, 'tokens' | 'doorman' | 'clock' | 'counters' | 'visitorLog'>;

/** Bearer tokens of HTTP requests. A token is good for what it is good for at the WebSocket. */
export class Authentication {
  readonly #door: Door;
  #held = 0;

  constructor(door: Door) {
    this.#door = door;
  }

  /**
   * The token of a request. @param certificateName null where the client has shown no certificate
   * @throws HttpProblem auth_failed, too_many_refusals; late where the address has shown many wrong tokens
   */
  async authenticate(
    authorization: string | undefined,
    remoteAddress: string,
    certificateName: string | null = null,
  ): Promise<HubToken> {
    const [, presented] = /^Bearer +([^\s]+) *$/i.exec(authorization ?? '') ?? [];
    // Who shows nothing has guessed nothing.
    if (presented === undefined) throw refusal();
    const found = this.#find(presented);
    const token = certificateName === null || found?.name === certificateName ? found : null;
    if (token !== null) {
      this.#door.tokens.noteUse(token, this.#door.clock.wallMs());
      return token;
    }
    const { counters, doorman, clock, visitorLog } = this.#door;
    counters.authFailures++;
    visitorLog.warn(
      { remote: remoteAddress },
      'request refused: unknown token, or not that of the certificate',
    );
    await this.#hold(doorman.holdRefusal(remoteAddress, clock.monotonicMs()));
    throw refusal();
  }

  /** Every token is compared, of every type, so that the time taken tells nothing. */
  #find(presented: string): HubToken | null {
    const { tokens, clock } = this.#door;
    const verdict = tokens.check(presented, 'any', clock.wallMs());
    return verdict.isAdmitted ? verdict.token : null;
  }

  async #hold(holdMs: number): Promise<void> {
    if (holdMs === 0) return;
    const seconds = String(Math.ceil(holdMs / 1000));
    if (this.#held >= MAX_HELD)
      throw new HttpProblem('too_many_refusals', { headers: { 'Retry-After': seconds } });
    this.#held++;
    await new Promise<void>((resolve) => this.#door.clock.setTimeout(resolve, holdMs));
    this.#held--;
  }
}

function refusal(): HttpProblem {
  return new HttpProblem('auth_failed', { headers: { 'WWW-Authenticate': 'Bearer' } });
}
