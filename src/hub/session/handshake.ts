import { LIMITS } from '../../protocol/limits.ts';
import type { Logger } from '../../system/logger.ts';
import { admissionOf } from '../door/admission.ts';
import { type FirstFrame, readFirstFrame } from '../door/introduction.ts';
import { type Peer, Stranger, type StrangerLimits } from '../door/stranger.ts';
import type { HubToken } from '../door/tokens.ts';
import type { SessionContext } from '../hub-context.ts';
import type { IdentifiedClient } from '../store/requests.ts';
import { clientKey } from './client-key.ts';
import type { AdmittedClient, Introduction } from './dialect.ts';
import type { InboundFrame } from './intake.ts';

/** A client that was let in, and is not welcomed yet. */
export interface Admission {
  readonly introduction: Introduction;
  readonly client: AdmittedClient;
  readonly token: HubToken;
}

/** What became of a frame of a stranger. */
type FirstVerdict =
  /** Its refusal waits for its answer; nothing else is tried on this connection. */
  | { readonly kind: 'held_back' }
  | { readonly kind: 'too_large' }
  | Extract<FirstFrame, { kind: 'refused' }>
  /** It has sent enough that is no `client_identify`. */
  | { readonly kind: 'flood' }
  | { readonly kind: 'turned_down'; readonly introduction: Introduction; readonly reason: string }
  | ({ readonly kind: 'admitted' } & Admission);

/** From the opened socket to the client whose streams are known. */
export class Handshake {
  readonly #hub: SessionContext;
  readonly #peer: Peer;
  readonly #log: Logger;
  readonly #stranger: Stranger;

  constructor(hub: SessionContext, peer: Peer, log: Logger, limits: StrangerLimits) {
    this.#hub = hub;
    this.#peer = peer;
    this.#log = log;
    this.#stranger = new Stranger(hub, peer, limits);
  }

  begin(): void {
    this.#stranger.begin();
  }

  /** The client is known now, or gone. */
  end(): void {
    this.#stranger.leave();
  }

  read({ data, isBinary }: InboundFrame): FirstVerdict {
    if (this.#stranger.isHeldBack) return { kind: 'held_back' };
    if (data.byteLength > LIMITS.preAuthFrameBytes) return { kind: 'too_large' };
    const first = readFirstFrame(data, isBinary);
    if (first.kind === 'introduction') return this.#admit(first.introduction);
    return this.#stranger.noteWrongFrame() ? first : { kind: 'flood' };
  }

  noteRefusal({ clientId, clientType }: Introduction, reason: string): void {
    this.#hub.counters.authFailures++;
    this.#log.warn({ client_id: clientId, client_type: clientType, reason }, 'client refused');
  }

  /** Answers a client that is turned down, perhaps later. False where the answer waits. */
  answerRefusal(answer: () => void): boolean {
    return this.#stranger.answerRefusal(answer);
  }

  /** Records the session, and reads where the client's streams go on. */
  identify({ introduction, client, token }: Admission): Promise<IdentifiedClient> {
    const { store, clock, forkRefusals } = this.#hub;
    const { clientId, clientType } = client;
    const isForkForgiven = forkRefusals.isForgiven(clientId);
    const resume = introduction.resume && { ...introduction.resume, isForkForgiven };
    return store.identify({ clientId, clientType, token, connectedMs: clock.wallMs(), resume });
  }

  /** It is one of two that number messages alike, and is told so. */
  noteFork({ clientId }: AdmittedClient): void {
    this.#hub.counters.epochForks++;
    this.#hub.forkRefusals.note(clientId);
    this.#log.warn({ client_id: clientId }, 'two clients may be numbering messages alike');
  }

  #admit(introduction: Introduction): FirstVerdict {
    const { tokens, clock } = this.#hub;
    const verdict = admissionOf(introduction, this.#peer.certificateName, this.#hub);
    if (!verdict.isAdmitted) return { kind: 'turned_down', introduction, reason: verdict.reason };
    const { token } = verdict;
    tokens.noteUse(token, clock.wallMs());
    this.#stranger.leave();
    const { clientType } = introduction;
    const clientId = introduction.clientId ?? token.name;
    const key = clientKey(clientType, clientId, token.name);
    const client = { clientId, clientType, key, tokenName: token.name, scopes: token.scopes };
    return { kind: 'admitted', introduction, client, token };
  }
}

/** Whether a client fits into the number that may be connected by its token. One that is here already takes its own place. */
export function hasPlace(
  { introduction, client, token }: Admission,
  { directory, limits }: Pick<SessionContext, 'directory' | 'limits'>,
): boolean {
  if (directory.countOfToken(token) < limits.sessionsPerToken) return true;
  return introduction.dialect.isExclusive && directory.holderOf(client.key) !== undefined;
}
