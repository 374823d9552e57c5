import { mayReceive, type Scopes } from '../../protocol/scopes.ts';

/** What of the stored events is asked for. Lists are alternatives; null is everything. */
export interface HistoryQuery {
  /** Null within stands for events of no camera. */
  readonly cameras: readonly (string | null)[] | null;
  readonly types: readonly string[] | null;
  readonly severities: readonly string[] | null;
  readonly clients: readonly string[] | null;
  /** When it happened, Unix milliseconds; `toMs` is not included any more. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly order: HistoryOrder;
  /** Where the page begins: behind this place in the order; null at its beginning. */
  readonly after: HistoryPlace | null;
  /** Only this event. */
  readonly eventId: number | null;
  readonly limit: number;
  /** Of who asks; null is everything. */
  readonly scopes: Scopes | null;
}

/** `newest` and `oldest` go by the time at which it happened, `stored` by event id, ascending. */
export type HistoryOrder = 'newest' | 'oldest' | 'stored';

/** An event's place in the order. */
export interface HistoryPlace {
  readonly atMs: number;
  readonly eventId: number;
}

export interface HistoryPage {
  /** Frames as subscribers get them. Fewer than asked for does not mean that there are no more. */
  readonly frames: readonly string[];
  /** Where the next page begins; null at the end. In the order `stored` there is no end: more may come. */
  readonly next: HistoryPlace | null;
  /** Whether that page has, or may have, something at this moment. */
  readonly hasMore: boolean;
}

/** What decides whether an event is asked for, and where it stands. */
export interface HistoryKey extends HistoryPlace {
  readonly type: string;
  /** That it is about. */
  readonly cameras: readonly string[];
  readonly clientId: string;
  readonly severity: string | null;
  /** 0 for what nobody is shown: gaps, messages in quarantine. */
  readonly isShown: 0 | 1;
}

export function isAskedFor(query: HistoryQuery, key: HistoryKey): boolean {
  return (
    key.isShown === 1 &&
    (query.eventId === null || key.eventId === query.eventId) &&
    key.atMs >= (query.fromMs ?? Number.MIN_SAFE_INTEGER) &&
    key.atMs < (query.toMs ?? Number.MAX_SAFE_INTEGER) &&
    isOfCameras(query.cameras, key.cameras) &&
    has(query.types, key.type) &&
    has(query.severities, key.severity) &&
    has(query.clients, key.clientId) &&
    (query.scopes === null || mayReceive(query.scopes, key.type, key.cameras))
  );
}

/** Negative where `a` comes first. */
export function inOrder(order: HistoryOrder, a: HistoryPlace, b: HistoryPlace): number {
  const byId = a.eventId - b.eventId;
  if (order === 'stored') return byId;
  const ascending = a.atMs - b.atMs || byId;
  return order === 'oldest' ? ascending : -ascending;
}

function isOfCameras(asked: HistoryQuery['cameras'], cameras: readonly string[]): boolean {
  if (asked === null) return true;
  return cameras.length === 0 ? asked.includes(null) : cameras.some((id) => asked.includes(id));
}

function has<Value>(list: readonly Value[] | null, value: Value): boolean {
  return list === null || list.includes(value);
}
