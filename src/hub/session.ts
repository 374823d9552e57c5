import { createHash, randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { CLOSE_CODES, type CloseCode } from '../protocol/close-codes.ts';
import { type FrameFault, parseClientFrame } from '../protocol/codec.ts';
import type { ClientFrame, ServerFrame } from '../protocol/frames.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { ClientIdentify, ClientType } from '../protocol/session.ts';
import type { TimerHandle } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { type ClientChannel, HubClient } from './hub-client.ts';
import type { HubContext } from './hub-context.ts';
import {
  connectionEstablished,
  errorFrame,
  identificationSuccess,
  type RepliedFrame,
} from './server-frames.ts';
import {
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  sessionStep,
} from './session-state.ts';
import { PACING } from './subscriber.ts';
import { checkToken, type TokenVerdict } from './tokens.ts';

/** How soon a client may try again after the hub could not serve it. */
const RETRY_AFTER_MS = 1000;
const AUTH_RETRY_AFTER_MS = 60_000;

const FAULT_CODES: Record<FrameFault['fault'], string> = {
  too_large: 'frame_too_large',
  not_json: 'not_json',
  invalid: 'invalid_frame',
  unknown_type: 'unknown_type',
};

export interface Peer {
  readonly connectionId: string;
  readonly remoteAddress: string;
}

/** One connection: what `sessionStep` decides, done on a socket. */
export class HubSession implements ClientChannel {
  readonly #ws: WebSocket;
  readonly #hub: HubContext;
  readonly #connectionId: string;
  readonly #log: Logger;
  #state: SessionState = { name: 'connected' };
  #client: HubClient | undefined;
  #identifyTimer: TimerHandle | undefined;
  #silentBeats = 0;

  constructor(ws: WebSocket, hub: HubContext, peer: Peer) {
    this.#ws = ws;
    this.#hub = hub;
    this.#connectionId = peer.connectionId;
    this.#log = hub.log.child({ connection: peer.connectionId, remote: peer.remoteAddress });
  }

  start(): void {
    const ws = this.#ws;
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    ws.on('ping', () => this.#onSign());
    ws.on('pong', () => this.#onSign());
    ws.on('close', (code, reason) => this.#onClosed(code, reason.toString('utf8')));
    // 'close' follows; ws has already answered the peer with the fitting code.
    ws.on('error', (error) => this.#log.warn({ err: error }, 'socket error'));
    this.#hub.registry.add(this);
    this.#identifyTimer = this.#hub.clock.setTimeout(() => {
      this.#hub.counters.identifyTimeouts++;
      this.reject('identify_timeout', 'no client_identify in time', {});
      this.#apply({ name: 'identify_timeout' });
    }, LIMITS.identifyTimeoutMs);
    this.reply(connectionEstablished(this.#connectionId, this.#hub.clock.wallMs()));
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  send(frame: string | Buffer): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(frame, { binary: false });
  }

  reply(frame: ServerFrame): void {
    this.send(JSON.stringify(frame));
  }

  reject(code: string, message: string, frame: RepliedFrame, retryAfterMs?: number): void {
    this.#hub.counters.errorsSent++;
    this.reply(errorFrame({ code, message, retryAfterMs, nowMs: this.#hub.clock.wallMs() }, frame));
  }

  setReading(isReading: boolean): void {
    if (isReading && this.#ws.isPaused) this.#ws.resume();
    if (!isReading && !this.#ws.isPaused) this.#ws.pause();
  }

  /** Ends a subscriber that cannot be served. */
  fail(code: CloseCode, reason: string): void {
    this.#hub.counters.subscribersClosed++;
    this.#end(code, 'try_later', reason);
  }

  onIdle(): void {
    this.#apply({ name: 'commits_done' });
  }

  onStoreFailure(error: unknown): void {
    this.#hub.counters.storeFailures++;
    this.#log.error({ err: error }, 'not stored');
    this.#end(CLOSE_CODES.tryLater, 'store_unavailable', 'the hub cannot store messages now');
  }

  supersede(): void {
    this.#hub.counters.superseded++;
    this.reject('superseded', 'a newer connection of this client took over', {});
    this.#apply({ name: 'finish', code: CLOSE_CODES.superseded });
  }

  /** Tells the client when to come back and ends after what it delivered is committed. */
  drain(reconnectAfterMs: number, deadlineMs: number): void {
    const data = { reconnect_after_ms: Math.round(reconnectAfterMs), deadline_ms: deadlineMs };
    this.reply({ type: 'server_draining', timestamp: this.#hub.clock.wallMs(), data });
    this.#apply({ name: 'finish', code: CLOSE_CODES.restart });
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /**
   * One beat of the hub's liveness clock. Silence is counted in beats, so that a hub which itself stood still
   * does not take all its clients for dead.
   */
  tick(beatMs: number): void {
    // While the hub does not read, silence is its own doing.
    if (this.#ws.isPaused) return;
    this.#silentBeats++;
    if (this.#silentBeats * beatMs <= LIMITS.clientSilenceMs) return;
    this.#hub.counters.silentDropped++;
    this.#log.warn({ silent_ms: this.#silentBeats * beatMs }, 'silent client dropped');
    this.terminate();
  }

  #onSign(): void {
    this.#silentBeats = 0;
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#onSign();
    this.#hub.counters.framesIn++;
    if (this.#state.name === 'closed' || this.#state.name === 'finishing') return;
    if (this.bufferedBytes > PACING.maxBytes) {
      // It sends and does not read the answers.
      this.terminate();
      return;
    }
    const isAdmitted = this.#state.name === 'identified';
    const maxBytes = isAdmitted ? LIMITS.maxFrameBytes : LIMITS.preAuthFrameBytes;
    if (data.byteLength > maxBytes)
      this.#end(CLOSE_CODES.frameTooLarge, 'frame_too_large', `more than ${maxBytes} bytes`);
    else if (isBinary) this.reject('invalid_frame', 'binary frames were not offered', {});
    else this.#onText(data.toString('utf8'), data.byteLength);
  }

  #onText(text: string, bytes: number): void {
    const result = parseClientFrame(text);
    if (result.ok) this.#onFrame(result.frame, bytes);
    else
      this.reject(FAULT_CODES[result.fault], result.message, {
        ...(result.requestId !== undefined && { request_id: result.requestId }),
      });
  }

  #onFrame(frame: ClientFrame, bytes: number): void {
    if (frame.type === 'client_identify') {
      this.#onIdentify(frame);
      return;
    }
    const effect = this.#apply({ name: 'other_frame' });
    if (effect.do === 'answer')
      this.reject(effect.error, `${frame.type} needs an identified client`, frame);
    if (effect.do === 'handle') this.#client?.handle(frame, bytes);
  }

  #onIdentify(frame: ClientIdentify): void {
    const { client_type: type, client_id: clientId, auth } = frame.data;
    const verdict = this.#verdict(auth.token, type, clientId);
    if (!verdict.isAdmitted && this.#state.name === 'connected') {
      this.#hub.counters.authFailures++;
      const { reason } = verdict;
      this.#log.warn({ client_id: clientId, client_type: type, reason }, 'client refused');
      this.reject('auth_failed', reason, frame, AUTH_RETRY_AFTER_MS);
    }
    const effect = this.#apply({ name: 'identify_frame', isAdmitted: verdict.isAdmitted });
    if (effect.do === 'answer')
      this.reject(effect.error, 'a connection identifies itself once', frame);
    if (effect.do === 'admit' && verdict.isAdmitted) this.#admit(frame, verdict.tokenName);
  }

  #verdict(token: string, type: ClientType, clientId: string): TokenVerdict {
    const verdict = checkToken(this.#hub.tokens, token, type);
    // Only a connection that is about to be admitted may claim an id.
    const isFirst = this.#state.name === 'connected';
    if (!verdict.isAdmitted || type !== 'ai_engine' || !isFirst) return verdict;
    if (this.#hub.store.claimEdge(clientId, verdict.tokenName)) return verdict;
    return { isAdmitted: false, reason: `the client id ${clientId} belongs to another token` };
  }

  #admit(frame: ClientIdentify, tokenName: string): void {
    const { store, clock, registry } = this.#hub;
    const { client_type: clientType, client_id: clientId, resume } = frame.data;
    this.#identifyTimer?.cancel();
    // The older session's batches are already on their way to the store, ahead of the call below.
    registry.claim(this, clientType, clientId);
    this.#client = new HubClient(frame.data, this, this.#hub);
    const sessionToken = randomBytes(24).toString('base64url');
    const record = {
      clientId,
      clientType,
      tokenName,
      sessionTokenHash: createHash('sha256').update(sessionToken).digest(),
      connectedMs: clock.wallMs(),
      streams: clientType === 'ai_engine' ? (resume?.streams ?? []) : [],
    };
    store.identify(record).then(
      ({ streams }) => {
        if (this.#apply({ name: 'streams_read' }).do !== 'welcome') return;
        const client = { client_id: clientId, client_type: clientType, token: tokenName };
        this.#log.info({ ...client, streams: streams.length }, 'client identified');
        const welcome = {
          sessionToken,
          streams,
          storeId: store.storeId,
          nowMs: clock.wallMs(),
          connections: registry.size,
        };
        this.reply(identificationSuccess(frame, welcome));
      },
      (error: unknown) => this.onStoreFailure(error),
    );
  }

  #onClosed(code: number, reason: string): void {
    this.#identifyTimer?.cancel();
    this.#hub.fanOut.unsubscribe(this);
    this.#hub.registry.remove(this);
    this.#apply({ name: 'socket_closed' });
    this.#log.info({ code, reason }, 'client disconnected');
  }

  #apply(event: SessionEvent): SessionEffect {
    const { state, effect } = sessionStep(this.#state, event);
    this.#state = state;
    if (effect.do === 'close') {
      this.#hub.fanOut.unsubscribe(this);
      this.#ws.close(effect.code);
      // A socket that is not read never sees the peer's answer to the close.
      this.setReading(true);
    }
    if (effect.do === 'await_commits' && this.#client?.isIdle !== false)
      return this.#apply({ name: 'commits_done' });
    return effect;
  }

  #end(code: CloseCode, errorCode: string, message: string): void {
    this.reject(errorCode, message, {}, RETRY_AFTER_MS);
    this.#apply({ name: 'fail', code });
  }
}
