import type { WebSocket } from 'ws';
import { CLOSE_CODES, type CloseCode } from '../../protocol/close-codes.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { TimerHandle } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import { admissionOf } from '../door/admission.ts';
import { Conduct, type Measure } from '../door/conduct.ts';
import { readFirstFrame } from '../door/introduction.ts';
import { type Peer, Stranger } from '../door/stranger.ts';
import type { HubToken } from '../door/tokens.ts';
import { writeCoalesced } from '../fan-out/coalesced-write.ts';
import type { LiveEvent } from '../fan-out/live-event.ts';
import { PACING } from '../fan-out/subscriber.ts';
import type { HubContext } from '../hub-context.ts';
import type { IdentifiedClient } from '../store/requests.ts';
import { clientKey } from './client-key.ts';
import { currentDialect } from './current-dialect.ts';
import type {
  AdmittedClient,
  ClientChannel,
  Conversation,
  Dialect,
  Introduction,
  RequestId,
} from './dialect.ts';
import { connectionEstablished } from './server-frames.ts';
import type { ClientView } from './session-registry.ts';
import {
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  sessionStep,
} from './session-state.ts';
import { Silence } from './silence.ts';

/** How soon a client may try again after the hub could not serve it. */
const RETRY_AFTER_MS = 1000;
const AUTH_RETRY_AFTER_MS = 60_000;
/** For the client to begin a new epoch. */
const FORK_RETRY_AFTER_MS = 100;

interface HeldFrame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** One connection: what `sessionStep` decides, done on a socket. */
export class HubSession implements ClientChannel {
  readonly #ws: WebSocket;
  readonly #hub: HubContext;
  readonly #peer: Peer;
  readonly #log: Logger;
  #state: SessionState = { name: 'connected' };
  #dialect: Dialect = currentDialect;
  /** That the client was admitted by, as long as the session goes on. */
  #token: HubToken | undefined;
  #conversation: Conversation | undefined;
  /** How the client behaves once it is identified. */
  #conduct: Conduct | undefined;
  /** It is not read from for its conduct; `#isToRead`: there is no other reason not to. */
  #pause: TimerHandle | undefined;
  #isToRead = true;
  #client: (AdmittedClient & { readonly connectedMs: number }) | undefined;
  #lastSeenMs = 0;
  /** Confirms to the store that the client has its session token. */
  #confirmToken: (() => void) | undefined;
  #held: HeldFrame[] = [];
  readonly #stranger: Stranger;
  readonly #silence = new Silence();

  constructor(ws: WebSocket, hub: HubContext, peer: Peer) {
    this.#ws = ws;
    this.#hub = hub;
    this.#peer = peer;
    this.#log = hub.log.child({ connection: peer.connectionId, remote: peer.remoteAddress });
    this.#stranger = new Stranger(hub, peer, {
      onTimeout: () => this.#onIdentifyTimeout(),
      onTooLarge: () => {
        if (this.#state.name === 'connected') this.onTooLarge(LIMITS.preAuthFrameBytes);
      },
      onFlood: () => this.terminate(),
    });
  }

  start(): void {
    const ws = this.#ws;
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    ws.on('ping', (data) => {
      this.#onSign();
      this.#take(this.#conduct?.onFrame(this.#hub.clock.monotonicMs(), data.byteLength));
    });
    ws.on('pong', () => this.#onSign());
    ws.on('close', (code, reason) => this.#onClosed(code, reason.toString('utf8')));
    // 'close' follows; ws has already answered the peer with the fitting code.
    ws.on('error', (error) => this.#log.warn({ err: error }, 'socket error'));
    this.#hub.registry.add(this);
    this.#stranger.begin();
    const greeting = connectionEstablished(this.#peer.connectionId, this.#hub.clock.wallMs());
    this.send(JSON.stringify(greeting));
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  get isLegacy(): boolean {
    return this.#dialect.name === 'legacy';
  }

  get isThrottled(): boolean {
    return this.#conversation?.isThrottled ?? false;
  }

  view(): ClientView | null {
    if (this.#client === undefined || this.#conversation === undefined) return null;
    const { clientId, clientType, connectedMs } = this.#client;
    const { connectionId, remoteAddress: address } = this.#peer;
    return {
      connectionId,
      clientId,
      clientType,
      address,
      protocol: this.#dialect.name,
      connectedMs,
      lastSeenMs: this.#lastSeenMs,
      ...this.#conversation.statistics,
      bufferedBytes: this.bufferedBytes,
    };
  }

  send(text: string): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(text);
  }

  /** All its subscribers share the bytes of an event. There are no extensions that each would need its own for. */
  show(event: LiveEvent): void {
    if (this.#ws.readyState === this.#ws.OPEN) writeCoalesced(this.#peer.socket, event.wire());
  }

  notify(code: string, message: string, requestId?: RequestId, retryAfterMs?: number): void {
    this.#hub.counters.errorsSent++;
    const nowMs = this.#hub.clock.wallMs();
    this.send(this.#dialect.error({ code, message, retryAfterMs, nowMs }, requestId));
  }

  reject(code: string, message: string, requestId: RequestId, retryAfterMs?: number): void {
    this.notify(code, message, requestId, retryAfterMs);
    this.#take(this.#conduct?.onRefusal(this.#hub.clock.monotonicMs()));
  }

  setReading(isReading: boolean): void {
    const mayRead = isReading && this.#pause === undefined;
    this.#isToRead = isReading;
    if (mayRead && this.#ws.isPaused) this.#ws.resume();
    if (!isReading && !this.#ws.isPaused) this.#ws.pause();
  }

  /** Ends a subscriber that cannot be served. */
  fail(code: CloseCode, reason: string): void {
    this.#hub.counters.subscribersClosed++;
    this.#end(code, 'try_later', reason);
  }

  onProgress(): void {
    if (this.#conversation?.isIdle === true) this.#apply({ name: 'commits_done' });
  }

  onStoreFailure(error: unknown): void {
    this.#hub.counters.storeFailures++;
    this.#log.error({ err: error }, 'not stored');
    this.#end(CLOSE_CODES.tryLater, 'store_unavailable', 'the hub cannot store messages now');
  }

  onTooLarge(maxBytes: number): void {
    this.#end(CLOSE_CODES.frameTooLarge, 'frame_too_large', `more than ${maxBytes} bytes`);
  }

  onAbuse(): void {
    this.#hub.counters.flowViolations++;
    this.#log.warn({}, 'client sends without credit');
    const message = 'more than twice the credit, again and again';
    this.#end(CLOSE_CODES.flowViolation, 'flow_violation', message);
  }

  supersede(): void {
    this.#hub.counters.superseded++;
    this.reject('superseded', 'a newer connection of this client took over', undefined);
    this.#apply({ name: 'finish', code: CLOSE_CODES.superseded });
  }

  /** Tells the client when to come back and ends after what it delivered is committed. */
  drain(reconnectAfterMs: number, deadlineMs: number): void {
    const nowMs = this.#hub.clock.wallMs();
    const frame = this.#dialect.draining(reconnectAfterMs, deadlineMs, nowMs);
    if (frame !== null) this.send(frame);
    this.#apply({ name: 'finish', code: CLOSE_CODES.restart });
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** One beat of the hub's liveness clock. */
  tick(beatMs: number): void {
    this.#checkToken();
    // While the hub does not read, silence is its own doing.
    if (this.#ws.isPaused) return;
    const { due, silentMs } = this.#silence.onBeat(beatMs, this.#dialect);
    if (due === 'drop') {
      this.#hub.counters.silentDropped++;
      this.#log.warn({ silent_ms: silentMs }, 'silent client dropped');
      this.terminate();
    } else if (due === 'ping' && this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  /** A token may be revoked, or expire, at any time. */
  #checkToken(): void {
    const token = this.#token;
    if (token === undefined) return;
    const { tokens, clock, counters } = this.#hub;
    const nowMs = clock.wallMs();
    const fault = tokens.faultOf(token, nowMs);
    if (fault === null) {
      tokens.noteUse(token, nowMs);
      return;
    }
    this.#token = undefined;
    counters.authFailures++;
    this.#log.warn({ token: token.name, reason: fault }, 'client closed');
    this.#end(CLOSE_CODES.authFailed, 'auth_failed', fault, AUTH_RETRY_AFTER_MS);
  }

  #onIdentifyTimeout(): void {
    this.#hub.counters.identifyTimeouts++;
    this.reject('identify_timeout', 'no client_identify in time', undefined);
    this.#apply({ name: 'identify_timeout' });
  }

  #onSign(): void {
    this.#silence.end();
    this.#lastSeenMs = this.#hub.clock.wallMs();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#onSign();
    this.#hub.counters.framesIn++;
    const effect = this.#apply({ name: 'frame' });
    if (effect.do === 'read_first') this.#readFirst(data, isBinary);
    if (effect.do === 'hold') this.#held.push({ data, isBinary });
    if (effect.do === 'handle') this.#handle(data, isBinary);
    this.#take(this.#conduct?.onFrame(this.#hub.clock.monotonicMs(), data.byteLength));
  }

  #take(measure: Measure | undefined): void {
    if (measure?.kind === 'close') {
      // Before anything else, so that the answer is not counted against it again.
      this.#conduct = undefined;
      this.#hub.counters.flowViolations++;
      this.#log.warn({}, 'client floods');
      const message = 'too many frames that need an answer, or that are refused';
      this.#end(CLOSE_CODES.flowViolation, 'flow_violation', message);
    } else if (measure?.kind === 'pause' && this.#pause === undefined) {
      this.#ws.pause();
      this.#pause = this.#hub.clock.setTimeout(() => {
        this.#pause = undefined;
        this.setReading(this.#isToRead);
      }, measure.forMs);
    }
  }

  #forgetConduct(): void {
    this.#conduct = undefined;
    this.#pause?.cancel();
    this.#pause = undefined;
  }

  #readFirst(data: Buffer, isBinary: boolean): void {
    if (this.#stranger.isHeldBack) return;
    if (data.byteLength > LIMITS.preAuthFrameBytes) {
      this.onTooLarge(LIMITS.preAuthFrameBytes);
      return;
    }
    const first = readFirstFrame(data, isBinary);
    if (first.kind === 'introduction') this.#introduce(first.introduction);
    else this.reject(first.code, first.message, first.requestId);
  }

  #handle(data: Buffer, isBinary: boolean): void {
    this.#confirmToken?.();
    this.#confirmToken = undefined;
    // It sends and does not read the answers.
    if (this.bufferedBytes > PACING.maxBytes) this.terminate();
    else if (data.byteLength > LIMITS.maxFrameBytes) this.onTooLarge(LIMITS.maxFrameBytes);
    else if (isBinary) this.#conversation?.onBinary(data);
    else this.#conversation?.onText(data.toString('utf8'), data.byteLength);
  }

  #introduce(introduction: Introduction): void {
    this.#dialect = introduction.dialect;
    const { clientType } = introduction;
    const verdict = admissionOf(introduction, this.#peer.certificateName, this.#hub);
    if (!verdict.isAdmitted) {
      this.#refuse(introduction, verdict.reason);
      return;
    }
    this.#apply({ name: 'introduced', isAdmitted: true });
    this.#token = verdict.token;
    this.#hub.tokens.noteUse(verdict.token, this.#hub.clock.wallMs());
    this.#stranger.leave();
    // What a client sends without waiting for its welcome is kept; more of it stays in the network.
    this.setReading(false);
    const clientId = introduction.clientId ?? verdict.token.name;
    const { name, scopes } = verdict.token;
    const key = clientKey(clientType, clientId, name);
    this.#identify(introduction, { clientId, clientType, key, scopes }, verdict.token);
  }

  #refuse({ clientId, clientType, requestId }: Introduction, reason: string): void {
    this.#hub.counters.authFailures++;
    this.#log.warn({ client_id: clientId, client_type: clientType, reason }, 'client refused');
    const isAnswered = this.#stranger.answerRefusal(() => {
      this.reject('auth_failed', reason, requestId, AUTH_RETRY_AFTER_MS);
      this.#apply({ name: 'introduced', isAdmitted: false });
    });
    // Until it is, nothing else is tried on this connection.
    if (!isAnswered) this.setReading(false);
  }

  #identify(introduction: Introduction, client: AdmittedClient, token: HubToken): void {
    const { store, clock, forkRefusals } = this.#hub;
    const isForkForgiven = forkRefusals.isForgiven(client.clientId);
    const resume = introduction.resume && { ...introduction.resume, isForkForgiven };
    const { clientId, clientType } = client;
    const connectedMs = clock.wallMs();
    store.identify({ clientId, clientType, token, connectedMs, resume }).then(
      (identified) => {
        if (this.#state.name !== 'identifying') return;
        if (identified.verdict === 'fork') this.#turnAway(client);
        else this.#welcome(introduction, client, identified);
      },
      (error: unknown) => this.onStoreFailure(error),
    );
  }

  #turnAway({ clientId }: AdmittedClient): void {
    const { counters, forkRefusals } = this.#hub;
    counters.epochForks++;
    forkRefusals.note(clientId);
    this.#log.warn({ client_id: clientId }, 'two clients may be numbering messages alike');
    const message = 'this client is not the one that was here last; begin a new epoch';
    this.#end(CLOSE_CODES.tryLater, 'epoch_fork', message, FORK_RETRY_AFTER_MS);
  }

  #welcome(
    introduction: Introduction,
    client: AdmittedClient,
    identified: Exclude<IdentifiedClient, { verdict: 'fork' }>,
  ): void {
    const { store, clock, registry, counters, forkRefusals } = this.#hub;
    const { clientId, clientType } = client;
    forkRefusals.forget(clientId);
    counters.streamsPurged += identified.purged;
    if (this.#dialect.isExclusive) registry.claim(this, client.key);
    else registry.join(this, clientType, this.#peer.connectionId);
    this.#client = { ...client, connectedMs: clock.wallMs() };
    this.#conversation = introduction.converse(client, this, this.#hub);
    const kind = { isEdge: clientType === 'ai_engine', isLegacy: this.isLegacy };
    this.#conduct = new Conduct(kind, this.#hub.limits, clock.monotonicMs());
    this.#apply({ name: 'streams_read' });
    const { verdict, sessionToken, streams } = identified;
    const facts = { verdict, protocol: this.#dialect.name, streams: streams.length };
    this.#log.info({ client_id: clientId, client_type: clientType, ...facts }, 'client identified');
    if (sessionToken !== null)
      this.#confirmToken = () => {
        const use = { clientId, clientType, number: sessionToken.number };
        store.confirm(use).catch((error: unknown) => this.onStoreFailure(error));
      };
    const [storeId, nowMs, connections] = [store.storeId, clock.wallMs(), registry.size];
    this.send(this.#conversation.welcome({ identified, storeId, nowMs, connections }));
    this.setReading(true);
    for (const { data, isBinary } of this.#held.splice(0)) {
      // One of them may have ended the session.
      if (this.#state.name === 'identified') this.#handle(data, isBinary);
    }
  }

  #onClosed(code: number, reason: string): void {
    this.#stranger.leave();
    this.#forgetConduct();
    this.#conversation?.stop();
    this.#hub.registry.remove(this);
    this.#token = undefined;
    this.#apply({ name: 'socket_closed' });
    this.#log.info({ code, reason }, 'client disconnected');
  }

  #apply(event: SessionEvent): SessionEffect {
    const { state, effect } = sessionStep(this.#state, event);
    this.#state = state;
    if (effect.do === 'close') {
      this.#token = undefined;
      this.#hub.fanOut.unsubscribe(this);
      this.#forgetConduct();
      this.#ws.close(effect.code);
      // A socket that is not read never sees the peer's answer to the close.
      this.setReading(true);
    }
    if (effect.do === 'await_commits' && this.#conversation?.isIdle !== false)
      return this.#apply({ name: 'commits_done' });
    return effect;
  }

  #end(
    code: CloseCode,
    errorCode: string,
    message: string,
    retryAfterMs: number = RETRY_AFTER_MS,
  ): void {
    this.reject(errorCode, message, undefined, retryAfterMs);
    this.#apply({ name: 'fail', code });
  }
}
