import type { WebSocket } from 'ws';
import { CLOSE_CODES, type CloseCode } from '../../protocol/close-codes.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { ClientType } from '../../protocol/session.ts';
import type { Logger } from '../../system/logger.ts';
import { Conduct } from '../door/conduct.ts';
import type { Peer } from '../door/stranger.ts';
import type { HubToken } from '../door/tokens.ts';
import type { EventFrame } from '../fan-out/live-event.ts';
import { PACING } from '../fan-out/subscriber.ts';
import type { SessionContext } from '../hub-context.ts';
import type { IdentifiedClient } from '../store/requests.ts';
import type { AdmittedClient, ClientChannel, Conversation, RequestId } from './dialect.ts';
import { ENDINGS, type Ending } from './endings.ts';
import { FrameRoom } from './frame-room.ts';
import { type Admission, Handshake, hasPlace } from './handshake.ts';
import { type InboundFrame, Intake } from './intake.ts';
import { Outlet } from './outlet.ts';
import { connectionEstablished } from './server-frames.ts';
import type { ClientView, RegisteredSession } from './session-registry.ts';
import {
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  sessionStep,
} from './session-state.ts';
import { Silence } from './silence.ts';

/** One connection: what `sessionStep` decides, done on a socket. */
export class HubSession implements ClientChannel, RegisteredSession {
  readonly #ws: WebSocket;
  readonly #hub: SessionContext;
  readonly #peer: Peer;
  readonly #log: Logger;
  readonly #handshake: Handshake;
  readonly #intake: Intake;
  readonly #outlet: Outlet;
  readonly #silence = new Silence();
  #state: SessionState = { name: 'connected' };
  #client: (AdmittedClient & { readonly connectedMs: number }) | undefined;
  #conversation: Conversation | undefined;
  #maxFrameBytes: number = LIMITS.maxFrameBytes;
  /** Of a viewer. */
  #frameRoom: FrameRoom | undefined;
  #lastSeenMs = 0;
  /** Confirms to the store that the client has its session token. */
  #confirmToken: (() => void) | undefined;

  constructor(ws: WebSocket, hub: SessionContext, peer: Peer) {
    this.#ws = ws;
    this.#hub = hub;
    this.#peer = peer;
    this.#log = hub.visitorLog.child({ connection: peer.connectionId, remote: peer.remoteAddress });
    this.#intake = new Intake(ws, hub.clock, (frame) => this.#onFrame(frame));
    this.#outlet = new Outlet(ws, peer.socket, hub.clock);
    this.#handshake = new Handshake(hub, peer, this.#log, {
      onTimeout: () => this.#onIdentifyTimeout(),
      onTooLarge: () => {
        if (this.#state.name === 'connected') this.onTooLarge(LIMITS.preAuthFrameBytes);
      },
      onFlood: () => this.terminate(),
    });
  }

  start(): void {
    const ws = this.#ws;
    ws.on('message', (data, isBinary) => {
      this.#onSign();
      this.#frameRoom?.frameEnded();
      this.#hub.counters.framesIn++;
      this.#intake.take({ data: data as Buffer, isBinary });
    });
    ws.on('ping', (data) => {
      this.#onControlFrame(data);
      if (this.#intake.isFloodedBy(data.byteLength)) this.#onFlood();
    });
    ws.on('pong', (data) => this.#onControlFrame(data));
    ws.on('close', (code, reason) => this.#onClosed(code, reason.toString('utf8')));
    // 'close' follows; ws has already answered the peer with the fitting code.
    ws.on('error', (error) => {
      this.#log.warn({ err: error }, 'socket error');
      this.#intake.onBrokenFrame();
    });
    this.#hub.registry.add(this);
    this.#handshake.begin();
    const greeting = connectionEstablished(this.connectionId, this.#hub.clock.wallMs());
    this.send(JSON.stringify(greeting));
  }

  get connectionId(): string {
    return this.#peer.connectionId;
  }

  get bufferedBytes(): number {
    return this.#outlet.bufferedBytes;
  }

  get isLegacy(): boolean {
    return this.#outlet.dialect.name === 'legacy';
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
      protocol: this.#outlet.dialect.name,
      connectedMs,
      lastSeenMs: this.#lastSeenMs,
      ...this.#conversation.statistics,
      bufferedBytes: this.bufferedBytes,
    };
  }

  send(text: string): void {
    this.#outlet.send(text);
  }

  show(event: EventFrame): void {
    this.#outlet.show(event);
  }

  notify(code: string, message: string, requestId?: RequestId, retryAfterMs?: number): void {
    this.#hub.counters.errorsSent++;
    this.#outlet.error(code, message, requestId, retryAfterMs);
  }

  reject(code: string, message: string, requestId: RequestId, retryAfterMs?: number): void {
    this.notify(code, message, requestId, retryAfterMs);
    if (this.#intake.isFloodedByRefusal()) this.#onFlood();
  }

  setReading(isReading: boolean): void {
    this.#intake.setReading(isReading);
  }

  /** Ends a subscriber that cannot be served. */
  fail(close: CloseCode, reason: string): void {
    this.#hub.counters.subscribersClosed++;
    this.#end({ ...ENDINGS.cannotServe(reason), close });
  }

  onProgress(): void {
    if (this.#conversation?.isIdle === true) this.#apply({ name: 'commits_done' });
  }

  onStoreFailure(error: unknown): void {
    this.#hub.counters.storeFailures++;
    this.#log.error({ err: error }, 'not stored');
    this.#end(ENDINGS.storeUnavailable());
  }

  onTooLarge(maxBytes: number): void {
    this.#end(ENDINGS.frameTooLarge(maxBytes));
  }

  onAbuse(): void {
    this.#hub.counters.flowViolations++;
    this.#log.warn({}, 'client sends without credit');
    this.#end(ENDINGS.overCredit());
  }

  expel(tokenName: string, reason: string): void {
    if (this.#state.name === 'closed') return;
    this.#hub.counters.authFailures++;
    this.#log.warn({ token: tokenName, reason }, 'client closed');
    this.#end(ENDINGS.authFailed(reason));
  }

  /** Tells the client when to come back and ends after what it delivered is committed. */
  drain(reconnectAfterMs: number, deadlineMs: number): void {
    this.#outlet.draining(reconnectAfterMs, deadlineMs);
    this.#apply({ name: 'finish', code: CLOSE_CODES.restart });
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** One beat of the hub's liveness clock. */
  tick(beatMs: number): void {
    // While the hub does not read, silence is its own doing.
    if (this.#intake.isPaused) return;
    const { due, silentMs } = this.#silence.onBeat(beatMs, this.#outlet.dialect);
    if (due === 'drop') {
      this.#hub.counters.silentDropped++;
      this.#log.warn({ silent_ms: silentMs }, 'silent client dropped');
      this.terminate();
    } else if (due === 'ping') this.#outlet.ping();
  }

  #onSign(): void {
    this.#silence.end();
    this.#lastSeenMs = this.#hub.clock.wallMs();
  }

  #onControlFrame(data: Buffer): void {
    this.#onSign();
    this.#frameRoom?.controlFrameEnded(data.byteLength);
  }

  #onIdentifyTimeout(): void {
    // It was told to go, and takes its time.
    if (this.#state.name !== 'connected') return;
    this.#hub.counters.identifyTimeouts++;
    this.reject('identify_timeout', 'no client_identify in time', undefined);
    this.#apply({ name: 'identify_timeout' });
  }

  #onFlood(): void {
    this.#hub.counters.flowViolations++;
    this.#log.warn({}, 'client floods');
    this.#end(ENDINGS.flood());
  }

  #onSuperseded(): void {
    this.#hub.counters.superseded++;
    this.notify('superseded', 'a newer connection of this client took over');
    this.#apply({ name: 'finish', code: CLOSE_CODES.superseded });
  }

  #onFrame(frame: InboundFrame): void {
    const effect = this.#apply({ name: 'frame' });
    if (effect.do === 'read_first') this.#readFirst(frame);
    if (effect.do === 'hold') this.#intake.hold(frame);
    if (effect.do === 'handle') this.#handle(frame);
    if (this.#intake.isFloodedBy(frame.data.byteLength)) this.#onFlood();
  }

  #readFirst(frame: InboundFrame): void {
    const first = this.#handshake.read(frame);
    if (first.kind === 'too_large') this.onTooLarge(LIMITS.preAuthFrameBytes);
    else if (first.kind === 'refused') this.reject(first.code, first.message, first.requestId);
    else if (first.kind === 'admitted') this.#identify(first);
    else if (first.kind === 'flood') this.#turnDown(() => this.#onFlood());
    else if (first.kind === 'turned_down') {
      const { introduction, reason } = first;
      this.#outlet.speak(introduction.dialect);
      this.#handshake.noteRefusal(introduction, reason);
      this.#turnDown(() => this.#end(ENDINGS.authFailed(reason), introduction.requestId));
    }
  }

  /** Until the answer is given, nothing else is tried on this connection. */
  #turnDown(answer: () => void): void {
    if (!this.#handshake.answerRefusal(answer)) this.setReading(false);
  }

  #handle({ data, isBinary }: InboundFrame): void {
    this.#confirmToken?.();
    this.#confirmToken = undefined;
    // It sends and does not read the answers.
    if (this.bufferedBytes > PACING.maxBytes) this.terminate();
    else if (data.byteLength > this.#maxFrameBytes) this.onTooLarge(this.#maxFrameBytes);
    else if (isBinary) this.#conversation?.onBinary(data);
    else this.#conversation?.onText(data.toString('utf8'), data.byteLength);
  }

  #identify(admission: Admission): void {
    const { introduction, client, token } = admission;
    const { connectionId } = this;
    this.#outlet.speak(introduction.dialect);
    if (!hasPlace(admission, this.#hub)) {
      this.#hub.counters.tokenFull++;
      this.#log.warn({ client_id: client.clientId, token: token.name }, 'token has no place left');
      this.#end(ENDINGS.tooManySessions(), introduction.requestId);
      return;
    }
    this.#apply({ name: 'introduced' });
    this.#hub.directory.register({ connectionId, client, token }, () => this.#onSuperseded());
    if (client.clientType !== 'ai_engine') this.#limitFrames(LIMITS.viewerFrameBytes);
    // What a client sends without waiting for its welcome is kept; more of it stays in the network.
    this.setReading(false);
    this.#handshake.identify(admission).then(
      (identified) => {
        if (this.#state.name !== 'identifying') return;
        if (identified.verdict !== 'fork') this.#welcome(admission, identified);
        else {
          this.#handshake.noteFork(client);
          this.#end(ENDINGS.fork());
        }
      },
      (error: unknown) => this.onStoreFailure(error),
    );
  }

  #limitFrames(maxBytes: number): void {
    this.#maxFrameBytes = maxBytes;
    this.#frameRoom = new FrameRoom(this.#peer.socket, {
      maxBytes,
      onTooLarge: () => {
        if (this.#state.name !== 'closed') this.onTooLarge(maxBytes);
      },
      onFlood: () => this.terminate(),
    });
  }

  #welcome(
    { introduction, client, token }: Admission,
    identified: Exclude<IdentifiedClient, { verdict: 'fork' }>,
  ): void {
    const { store, clock, directory, registry, counters, forkRefusals } = this.#hub;
    const { clientId, clientType } = client;
    const { name: protocol, isExclusive } = introduction.dialect;
    forkRefusals.forget(clientId);
    counters.streamsPurged += identified.purged;
    if (isExclusive) directory.takeOver(this.connectionId);
    else directory.join(this.connectionId);
    this.#client = { ...client, connectedMs: clock.wallMs() };
    this.#conversation = introduction.converse(client, this, this.#hub);
    this.#intake.judge(this.#conductOf(clientType, token));
    this.#apply({ name: 'streams_read' });
    const { verdict, sessionToken, streams } = identified;
    const facts = { verdict, protocol, streams: streams.length };
    this.#log.info({ client_id: clientId, client_type: clientType, ...facts }, 'client identified');
    if (sessionToken !== null) {
      const use = { clientId, clientType, number: sessionToken.number };
      this.#confirmToken = () =>
        store.confirm(use).catch((error: unknown) => this.onStoreFailure(error));
    }
    const [storeId, nowMs, connections] = [store.storeId, clock.wallMs(), registry.size];
    this.send(this.#conversation.welcome({ identified, storeId, nowMs, connections }));
    this.setReading(true);
    this.#intake.release();
  }

  #conductOf(clientType: ClientType, { name }: HubToken): Conduct {
    const { clock, limits, refusalBudgets } = this.#hub;
    const kind = { isEdge: clientType === 'ai_engine', isLegacy: this.isLegacy };
    const nowMs = clock.monotonicMs();
    return new Conduct(kind, limits, refusalBudgets.of(name, nowMs), nowMs);
  }

  #onClosed(code: number, reason: string): void {
    this.#handshake.end();
    this.#frameRoom?.end();
    this.#intake.close();
    this.#conversation?.stop();
    this.#hub.directory.remove(this.connectionId);
    this.#hub.registry.remove(this);
    this.#apply({ name: 'socket_closed' });
    this.#log.info({ code, reason }, 'client disconnected');
  }

  #apply(event: SessionEvent): SessionEffect {
    const { state, effect } = sessionStep(this.#state, event);
    this.#state = state;
    if (effect.do === 'close') {
      this.#hub.fanOut.unsubscribe(this);
      this.#intake.close();
      this.#ws.close(effect.code);
      // A socket that is not read never sees the peer's answer to the close.
      this.setReading(true);
    }
    if (effect.do === 'await_commits' && this.#conversation?.isIdle !== false)
      return this.#apply({ name: 'commits_done' });
    return effect;
  }

  #end({ close, code, message, retryAfterMs }: Ending, requestId?: RequestId): void {
    this.notify(code, message, requestId, retryAfterMs);
    this.#apply({ name: 'fail', code: close });
  }
}
