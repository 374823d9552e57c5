import type { CLIENT_FRAMES } from '../../protocol/frames.ts';
import type { LEGACY_CLIENT_FRAMES } from '../../protocol/legacy.ts';
import { camerasOf } from '../../protocol/message-cameras.ts';
import { isInScope, isNamelessInScope, type Scopes } from '../../protocol/scopes.ts';
import type { ClientType } from '../../protocol/session.ts';
import type { Subscribe } from '../../protocol/subscription.ts';
import { cameraOf } from '../ingest/camera-of.ts';

/**
 * What each type of client may send, and what its token has to allow for it. docs/permissions.md says the same in
 * tables, and a test holds a hub against them.
 */

export interface Refusal {
  readonly code: 'forbidden';
  /** Says which right is lacking. */
  readonly message: string;
}

/** Who is asked about; part of `AdmittedClient`. */
interface Sender {
  readonly clientType: ClientType;
  readonly scopes: Scopes;
}

interface SentFrame {
  readonly type: FrameType;
  readonly data?: unknown;
}

type FrameType = keyof typeof CLIENT_FRAMES | keyof typeof LEGACY_CLIENT_FRAMES;

/** What a token has to allow, beside the type of its client. */
type Need =
  | 'nothing'
  /** The message has to be one that the client may deliver. */
  | 'delivery'
  /** The frame's type, and its camera if it names one. */
  | 'sending'
  /** The types and cameras that it asks for by name. */
  | 'receiving';

interface Right {
  readonly senders: readonly ClientType[];
  readonly need: Need;
}

const EDGES: readonly ClientType[] = ['ai_engine'];
const VIEWERS: readonly ClientType[] = ['frontend', 'desktop_app', 'mobile_app'];

/** Whoever is admitted keeps its connection by these. */
const CONNECTION: Right = { senders: [...EDGES, ...VIEWERS], need: 'nothing' };
const MESSAGE: Right = { senders: EDGES, need: 'delivery' };
const REQUEST: Right = { senders: VIEWERS, need: 'sending' };
/** To what the server itself has asked for. */
const REPORT: Right = { senders: EDGES, need: 'nothing' };
const ANSWER: Right = { senders: EDGES, need: 'sending' };

/** A type that is missing here does not compile: nothing is allowed for want of an entry. */
const RIGHTS: Readonly<Record<FrameType, Right>> = {
  client_identify: CONNECTION,
  heartbeat: CONNECTION,
  client_goodbye: CONNECTION,
  error: CONNECTION,
  // Its items are judged one by one: see `mayDeliver`.
  message_batch: { senders: EDGES, need: 'nothing' },
  ai_detection_result: MESSAGE,
  face_detection_result: MESSAGE,
  alert_triggered: MESSAGE,
  ai_engine_status: MESSAGE,
  // Cameras outside of the token's scope are left out and told: see `StreamPeer`.
  cameras_changed: { senders: EDGES, need: 'nothing' },
  subscribe: { senders: VIEWERS, need: 'receiving' },
  unsubscribe: { senders: VIEWERS, need: 'nothing' },
  stream_start_request: REQUEST,
  stream_stop_request: REQUEST,
  stream_quality_change: REQUEST,
  stream_start_success: ANSWER,
  stream_start_error: ANSWER,
  stream_stop_success: ANSWER,
  stream_stop_error: ANSWER,
  stream_quality_success: ANSWER,
  stream_quality_error: ANSWER,
  send_evidence_error: REPORT,
};

/** Whether a client may send a frame, which has the form of its type. Null where it may. */
export function maySend({ clientType, scopes }: Sender, frame: SentFrame): Refusal | null {
  const { senders, need } = RIGHTS[frame.type];
  if (!senders.includes(clientType))
    return forbidden(`a client of type ${clientType} may not send ${frame.type}`);
  switch (need) {
    case 'nothing':
      return null;
    case 'delivery':
      return mayDeliver(scopes, frame.type, camerasOf(frame.type, frame.data));
    case 'sending':
      return mayAsk(scopes, frame.type, cameraOf(frame.data));
    case 'receiving':
      return maySubscribe(scopes, frame.data as Subscribe['data']);
  }
}

/**
 * Whether a client may deliver a message, in a batch or as a frame of its own. Null where it may.
 * @param cameras that the message is about
 */
export function mayDeliver(
  scopes: Scopes,
  type: string,
  cameras: readonly string[],
): Refusal | null {
  if (!isInScope(scopes.send, type)) return lacks('send', type);
  const foreign = cameras.find((id) => !isInScope(scopes.cameras, id));
  if (foreign !== undefined) return lacks('cameras', foreign);
  if (cameras.length > 0 || isNamelessInScope(scopes.cameras, type)) return null;
  return forbidden(`${type} names no camera, and the token is for named cameras only`);
}

function mayAsk({ send, cameras }: Scopes, type: string, cameraId: string | null): Refusal | null {
  if (!isInScope(send, type)) return lacks('send', type);
  return cameraId === null || isInScope(cameras, cameraId) ? null : lacks('cameras', cameraId);
}

/** `*` asks for whatever the client may have; a name that it may not have is refused, not left out silently. */
function maySubscribe(scopes: Scopes, { types, cameras }: Subscribe['data']): Refusal | null {
  if (scopes.receive.length === 0) return forbidden('the token receives nothing');
  const type = types.find((name) => name !== '*' && !isInScope(scopes.receive, name));
  if (type !== undefined) return lacks('receive', type);
  const camera = cameras.find((id) => id !== '*' && !isInScope(scopes.cameras, id));
  return camera === undefined ? null : lacks('cameras', camera);
}

function lacks(scope: 'cameras' | 'send' | 'receive', name: string): Refusal {
  return forbidden(`${name} is not within the token's scope \`${scope}\``);
}

function forbidden(message: string): Refusal {
  return { code: 'forbidden', message };
}
