import type { z } from 'zod';
import type { CLIENT_FRAMES, SERVER_FRAMES, ServerFrame } from '../protocol/frames.ts';
import type { DeliveredType } from '../protocol/lanes.ts';
import type { PAYLOADS } from '../protocol/payloads.ts';
import type { BroadcastEvent } from '../protocol/subscription.ts';

/** An order to the server is passed on to nobody. */
type ShownType = Exclude<DeliveredType, 'person_forgotten'>;

/** What an edge said, as the server passes it on; `data` is typed by the type. */
export type EventMessage<Type extends ShownType = ShownType> = {
  [Each in Type]: Omit<BroadcastEvent, 'type' | 'data'> & {
    type: Each;
    data: z.infer<(typeof PAYLOADS)[Each]['schema']>;
  };
}[Type];

/** Every message that a client can hear, by type. */
export type IncomingMessages = {
  [Type in keyof typeof SERVER_FRAMES]: Extract<ServerFrame, { type: Type }>;
} & { [Type in ShownType]: EventMessage<Type> };

export type MessageType = keyof IncomingMessages;
export type IncomingMessage = IncomingMessages[MessageType];

/** What a handler of a type gets; one of `*` gets all, also messages of types newer than this program. */
export type MessageOf<Type extends MessageType | '*'> = Type extends MessageType
  ? IncomingMessages[Type]
  : IncomingMessage;

export type MessageHandler<Type extends MessageType | '*' = '*'> = (
  message: MessageOf<Type>,
) => void;

/** The client itself sends these. */
type KeptToItself = 'client_identify' | 'heartbeat' | 'subscribe' | 'unsubscribe' | 'message_batch';
type SendableType = Exclude<keyof typeof CLIENT_FRAMES, KeptToItself>;

/** A message to send; the client fills in what is left out. */
export type OutgoingMessage = {
  [Type in SendableType]: {
    type: Type;
    data: z.input<(typeof CLIENT_FRAMES)[Type]>['data'];
    request_id?: string;
  };
}[SendableType];

type Data<Type extends keyof typeof SERVER_FRAMES> = z.infer<(typeof SERVER_FRAMES)[Type]>['data'];

export type StreamQuality = z.infer<
  (typeof CLIENT_FRAMES)['stream_quality_change']
>['data']['quality'];
/** A camera that the edge has in its own configuration needs no `rtspUrl`. */
export interface StreamOptions {
  readonly rtspUrl?: string;
  readonly quality?: StreamQuality;
}
export type StreamAnswer = Data<'stream_start_success'>;

/** Names of all message types that a client can hear or send. */
export const MESSAGE_TYPES = {
  CONNECTION_ESTABLISHED: 'connection_established',
  IDENTIFICATION_SUCCESS: 'identification_success',
  CLIENT_IDENTIFY: 'client_identify',
  CLIENT_GOODBYE: 'client_goodbye',
  HEARTBEAT: 'heartbeat',
  HEARTBEAT_ACK: 'heartbeat_ack',
  SUBSCRIBE: 'subscribe',
  SUBSCRIPTION_SUCCESS: 'subscription_success',
  UNSUBSCRIBE: 'unsubscribe',
  STREAM_START_REQUEST: 'stream_start_request',
  STREAM_START_SUCCESS: 'stream_start_success',
  STREAM_START_ERROR: 'stream_start_error',
  STREAM_STOP_REQUEST: 'stream_stop_request',
  STREAM_STOP_SUCCESS: 'stream_stop_success',
  STREAM_STOP_ERROR: 'stream_stop_error',
  STREAM_QUALITY_CHANGE: 'stream_quality_change',
  STREAM_QUALITY_SUCCESS: 'stream_quality_success',
  STREAM_QUALITY_ERROR: 'stream_quality_error',
  AI_DETECTION_RESULT: 'ai_detection_result',
  FACE_DETECTION_RESULT: 'face_detection_result',
  OBJECT_EVENT: 'object_event',
  ALERT_TRIGGERED: 'alert_triggered',
  ALERT_THUMBNAIL: 'alert_thumbnail',
  AI_ENGINE_STATUS: 'ai_engine_status',
  SERVER_DRAINING: 'server_draining',
  ERROR: 'error',
} as const satisfies Record<string, MessageType | keyof typeof CLIENT_FRAMES>;
