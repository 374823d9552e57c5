import { LIMITS } from '../../protocol/limits.ts';
import { isInScope, type Scopes } from '../../protocol/scopes.ts';
import type { Clock, TimerHandle } from '../../system/clock.ts';
import type { Logger } from '../../system/logger.ts';
import { redactText } from '../../system/redact.ts';
import type { HubCounters } from '../counters.ts';
import type { EvidenceOrder } from '../evidence/evidence-desk.ts';
import type { RequestId } from '../session/dialect.ts';
import type { StoredItem } from '../store/requests.ts';
import { EVENT_STATUS } from '../store/schema.ts';
import { type CameraConflict, CameraDirectory } from './camera-directory.ts';
import { KeptAnswers } from './kept-answers.ts';
import { observedCameras } from './observed-cameras.ts';
import {
  type RequestEvent,
  type RequestState,
  requestStep,
  type StreamAnswer,
  type StreamFailure,
  UNKNOWN_REQUEST,
} from './request-state.ts';
import { contentOf, type RequestKind, type StreamRequest } from './stream-request.ts';

const KEEP_MS = 5 * 60_000;
/** Answers kept of all askers together. */
const KEPT_IN_ALL = 10_000;
/** Requests that wait for their answers: of one asker, and in all. */
const WAITING_PER_ASKER = 32;
const WAITING_IN_ALL = 2048;

/** A connected edge. */
export interface EdgeLink {
  readonly edgeId: string;
  /** Of the token that it came with. */
  readonly tokenName: string;
  readonly scopes: Scopes;
  order(orderId: string, request: StreamRequest): void;
  /** Tells the edge that another one has a camera of the same id. */
  conflict(message: string): void;
  /** Whether `orderEvidence` reaches it. */
  readonly canSendEvidence: boolean;
  orderEvidence(requestId: string, order: EvidenceOrder): void;
}

/** A connected viewer. */
export interface Asker {
  /** Names the client over its connections. */
  readonly key: string;
  answer(request: StreamRequest, answer: StreamAnswer, requestId: RequestId): void;
}

/** An answer as an edge gives it. Those of the original protocol may lack what tells which request it is to. */
export interface EdgeAnswer {
  readonly orderId: string | null;
  readonly kind: RequestKind | null;
  readonly cameraId: string | null;
  readonly answer: StreamAnswer;
}

export interface StreamDeskOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: HubCounters;
  /** Names orders; never the same twice, not even after a restart. */
  readonly newId: () => string;
  /** An edge that has not answered by then has failed. */
  readonly timeoutMs: number;
}

interface OpenRequest {
  readonly key: string;
  readonly askerKey: string;
  readonly request: StreamRequest;
  state: RequestState;
  edge: EdgeLink | null;
  orderId: string;
  /** Connections that wait, each with the id that its client gave the request. */
  readonly waiting: Map<Asker, RequestId>;
  timer: TimerHandle | null;
}

/**
 * Takes stream requests of viewers to the edges that have the cameras, and the answers back. An answer comes from an
 * edge, or says that none came; see `requestStep` for what becomes of a request.
 */
export class StreamDesk {
  readonly #options: StreamDeskOptions;
  readonly #directory = new CameraDirectory();
  readonly #edges = new Map<string, EdgeLink>();
  readonly #open = new Map<string, OpenRequest>();
  readonly #orders = new Map<string, OpenRequest>();
  readonly #openByAsker = new Map<string, number>();
  readonly #kept = new KeptAnswers<OpenRequest>({
    keepMs: KEEP_MS,
    perAsker: LIMITS.keptAnswers,
    inAll: KEPT_IN_ALL,
  });
  #nameless = 0;

  constructor(options: StreamDeskOptions) {
    this.#options = options;
  }

  /** Requests that wait for their answers. */
  get waiting(): number {
    return this.#open.size;
  }

  get cameras(): number {
    return this.#directory.size;
  }

  /** Cameras that more than one edge has. */
  get contestedCameras(): number {
    return this.#directory.contested;
  }

  /** Who has a camera, if that one is connected and its token is for the camera. */
  edgeOf(cameraId: string): EdgeLink | 'unknown' | 'offline' {
    const owner = this.#directory.ownerOf(cameraId);
    if (owner === undefined) return 'unknown';
    const edge = this.#edges.get(owner);
    if (edge === undefined) return 'offline';
    return isInScope(edge.scopes.cameras, cameraId) ? edge : 'unknown';
  }

  /** An edge has connected. A newer connection takes the place of an older one. */
  join(edge: EdgeLink): void {
    this.#edges.set(edge.edgeId, edge);
    this.#directory.join(edge.edgeId);
  }

  /** What an edge was ordered and has not answered it will not answer on another connection. */
  leave(edge: EdgeLink): void {
    if (this.#edges.get(edge.edgeId) === edge) {
      this.#edges.delete(edge.edgeId);
      this.#directory.leave(edge.edgeId);
    }
    const answer = offline(`${edge.edgeId} was lost before it answered`);
    for (const request of [...this.#orders.values()])
      if (request.edge === edge) this.#step(request, { name: 'answered', answer });
  }

  /** An edge says which cameras it has. */
  announce(edge: EdgeLink, cameraIds: readonly string[]): void {
    for (const conflict of this.#directory.announce(edge.edgeId, cameraIds)) this.#tell(conflict);
  }

  /** Messages of an edge were stored: they show whose their cameras are, where the edge does not say it. */
  delivered(
    { edgeId, scopes }: Pick<EdgeLink, 'edgeId' | 'scopes'>,
    items: readonly StoredItem[],
    eventIds: readonly number[],
  ): void {
    if (!this.#directory.isObserved(edgeId)) return;
    for (const [index, item] of items.entries()) {
      // What is in quarantine shows nothing, and a token makes no claim beyond its own cameras.
      const isShown = item.status === EVENT_STATUS.ok || item.status === EVENT_STATUS.opaque;
      if (!isShown || (eventIds[index] ?? 0) === 0) continue;
      for (const cameraId of observedCameras(item))
        if (isInScope(scopes.cameras, cameraId)) this.#directory.observe(edgeId, cameraId);
    }
  }

  ask(asker: Asker, request: StreamRequest, requestId: RequestId): void {
    const { clock, counters } = this.#options;
    counters.streamRequests++;
    // What has no name is never the same as another.
    const name = requestId ?? `#${this.#nameless++}`;
    const key = JSON.stringify([asker.key, name]);
    const known = this.#open.get(key) ?? this.#kept.get(key, clock.monotonicMs());
    const open = known ?? this.#fresh(key, asker.key, request);
    if (known !== undefined) counters.streamRequestsRepeated++;
    const route = known === undefined ? this.#route(asker, request) : null;
    const obstacle = route !== null && 'isDone' in route ? route : null;
    if (route !== null && !('isDone' in route)) open.edge = route;
    const content = contentOf(request);
    const { state, effect } = requestStep(open.state, { name: 'asked', content, obstacle });
    open.state = state;
    if (effect.do === 'answer') asker.answer(request, effect.answer, requestId);
    if (effect.do === 'order' || effect.do === 'wait') open.waiting.set(asker, requestId);
    if (effect.do === 'order') this.#order(open);
  }

  /** A viewer is gone: nobody tells it anything, but what it asked for is done. */
  forget(asker: Asker): void {
    for (const open of this.#open.values()) open.waiting.delete(asker);
  }

  /** An edge answers. What it was not asked, or not any more, is counted and comes to nothing. */
  answered(edge: EdgeLink, { orderId, kind, cameraId, answer }: EdgeAnswer): void {
    const open = orderId === null ? this.#oldest(edge, kind, cameraId) : this.#orders.get(orderId);
    const isAsked = open?.edge === edge && (kind ?? open.request.kind) === open.request.kind;
    if (open !== undefined && isAsked)
      this.#step(open, { name: 'answered', answer: withoutSecrets(answer) });
    else this.#options.counters.streamAnswersUnasked++;
  }

  #oldest(edge: EdgeLink, kind: RequestKind | null, cameraId: string | null) {
    return [...this.#orders.values()].find(
      (open) =>
        open.edge === edge && open.request.kind === kind && open.request.cameraId === cameraId,
    );
  }

  #fresh(key: string, askerKey: string, request: StreamRequest): OpenRequest {
    return {
      key,
      askerKey,
      request,
      state: UNKNOWN_REQUEST,
      edge: null,
      orderId: '',
      waiting: new Map(),
      timer: null,
    };
  }

  #order(open: OpenRequest): void {
    const { clock, newId, timeoutMs } = this.#options;
    open.orderId = newId();
    this.#open.set(open.key, open);
    this.#orders.set(open.orderId, open);
    this.#openByAsker.set(open.askerKey, this.#openOf(open.askerKey) + 1);
    open.timer = clock.setTimeout(() => this.#onTimeout(open), timeoutMs);
    open.edge?.order(open.orderId, open.request);
  }

  #onTimeout(open: OpenRequest): void {
    this.#options.counters.edgeTimeouts++;
    const seconds = this.#options.timeoutMs / 1000;
    const answer: StreamFailure = {
      isDone: false,
      code: 'edge_timeout',
      message: `${open.edge?.edgeId} did not answer within ${seconds} s; what became of it is not known`,
      isRetryable: true,
    };
    this.#step(open, { name: 'answered', answer });
  }

  #step(open: OpenRequest, event: RequestEvent): void {
    const { state, effect } = requestStep(open.state, event);
    open.state = state;
    if (effect.do !== 'answer_all') return;
    this.#close(open);
    if (!effect.answer.isDone) this.#options.counters.streamRequestsFailed++;
    for (const [asker, requestId] of open.waiting)
      asker.answer(open.request, effect.answer, requestId);
    open.waiting.clear();
  }

  #close(open: OpenRequest): void {
    open.timer?.cancel();
    this.#open.delete(open.key);
    this.#orders.delete(open.orderId);
    const left = this.#openOf(open.askerKey) - 1;
    if (left > 0) this.#openByAsker.set(open.askerKey, left);
    else this.#openByAsker.delete(open.askerKey);
    // Without its address and its edge, which are not kept for minutes.
    const { kind, cameraId } = open.request;
    const kept = { ...open, request: { kind, cameraId }, edge: null, waiting: new Map() };
    this.#kept.add(open.key, open.askerKey, kept, this.#options.clock.monotonicMs());
  }

  #openOf(askerKey: string): number {
    return this.#openByAsker.get(askerKey) ?? 0;
  }

  /** The edge to be given the order, or why there is none. */
  #route(asker: Asker, request: StreamRequest): EdgeLink | StreamFailure {
    const route = this.#routeTo(asker, request);
    if ('isDone' in route || isInScope(route.scopes.cameras, request.cameraId)) return route;
    const message = `the token of ${route.edgeId} is not for camera ${request.cameraId}`;
    return failure('forbidden', message);
  }

  #routeTo(asker: Asker, request: StreamRequest): EdgeLink | StreamFailure {
    if (this.#openOf(asker.key) >= WAITING_PER_ASKER)
      return tooMany(`more than ${WAITING_PER_ASKER} requests of this client wait`);
    if (this.#open.size >= WAITING_IN_ALL) return tooMany('too many requests wait at this hub');
    const { cameraId, edgeId } = request;
    const owner = this.#directory.ownerOf(cameraId);
    if (owner === undefined) return this.#routeOfNew(request);
    if (edgeId !== undefined && edgeId !== owner)
      return failure('camera_conflict', `${cameraId} is a camera of ${owner}, not of ${edgeId}`);
    return this.#edges.get(owner) ?? offline(`${owner}, which has ${cameraId}, is not connected`);
  }

  #routeOfNew({ kind, cameraId, url, edgeId }: StreamRequest): EdgeLink | StreamFailure {
    if (kind !== 'start' || url === undefined) {
      const remedy = kind === 'start' ? '; to add it, give its rtsp_url' : '';
      return failure('camera_unknown', `no edge has a camera ${cameraId}${remedy}`);
    }
    if (edgeId !== undefined) {
      const edge = this.#edges.get(edgeId);
      if (edge !== undefined) return edge;
      return this.#directory.knows(edgeId)
        ? offline(`${edgeId} is not connected`)
        : failure('camera_unknown', `no edge has a camera ${cameraId}, and there is no ${edgeId}`);
    }
    const edges = [...this.#edges.values()].filter(({ scopes }) =>
      isInScope(scopes.cameras, cameraId),
    );
    const [only] = edges;
    if (only !== undefined && edges.length === 1) return only;
    const why = only === undefined ? 'and no edge is connected' : 'so name its edge with edge_id';
    return failure('camera_unknown', `no edge has a camera ${cameraId}, ${why}`);
  }

  #tell({ cameraId, owner, contender }: CameraConflict): void {
    const { log, counters } = this.#options;
    counters.cameraConflicts++;
    log.warn({ camera: cameraId, owner, contender }, 'two edges have a camera of one id');
    this.#edges
      .get(contender)
      ?.conflict(`${cameraId} is a camera of ${owner} already; give yours another id`);
    this.#edges
      .get(owner)
      ?.conflict(`${contender} announces ${cameraId} too, which stays a camera of ${owner}`);
  }
}

/** An edge may have put the address that it could not open into its reason. */
function withoutSecrets(answer: StreamAnswer): StreamAnswer {
  return answer.isDone ? answer : { ...answer, message: redactText(answer.message) };
}

function failure(code: string, message: string, isRetryable = false): StreamFailure {
  return { isDone: false, code, message, isRetryable };
}

function offline(message: string): StreamFailure {
  return failure('edge_offline', message, true);
}

function tooMany(message: string): StreamFailure {
  return failure('too_many_requests', message, true);
}
