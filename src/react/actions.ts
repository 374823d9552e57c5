import type { ConnectionUser } from './connection-user.ts';
import type {
  MessageHandler,
  MessageType,
  OutgoingMessage,
  StreamAnswer,
  StreamOptions,
  StreamQuality,
} from './messages.ts';

/** What a component can do; all of them stay the same functions for the life of the component. */
export interface ConnectionActions {
  /** Begins anew at once, also after a refusal. Concerns all components that share the connection. */
  connect(): void;
  /** Stays disconnected until `connect`. Concerns all components that share the connection. */
  disconnect(): void;
  /** Hears messages of a type, or all (`*`), until the component goes. @returns a function that ends it */
  onMessage<Type extends MessageType | '*'>(type: Type, handler: MessageHandler<Type>): () => void;
  offMessage<Type extends MessageType | '*'>(type: Type, handler: MessageHandler<Type>): void;
  /**
   * Sends now, or keeps up to 256 messages until there is a connection.
   * @returns false where it was neither: the queue is full, the message too large, or a stream request without a
   * connection
   */
  sendMessage(message: OutgoingMessage): boolean;
  /** Resolves once the edge analyses the camera. @throws RequestError, at once where there is no connection */
  startStream(cameraId: string, options?: StreamOptions): Promise<StreamAnswer>;
  /** @throws RequestError */
  stopStream(cameraId: string): Promise<StreamAnswer>;
  /** @throws RequestError */
  changeStreamQuality(cameraId: string, quality: StreamQuality): Promise<StreamAnswer>;
  /**
   * Asks for the events of a camera, `*` for all, until the component goes. Resolves once the server has confirmed
   * it; that may be ignored, for a refusal is in `error` as well. @throws RequestError
   */
  subscribeToCamera(cameraId: string): Promise<void>;
  /** The camera stays subscribed as long as another component wants it. */
  unsubscribeFromCamera(cameraId: string): void;
  /** For a message of one's own by `sendMessage`. */
  generateRequestId(): string;
}

export function actionsOf(user: ConnectionUser, newId: () => string): ConnectionActions {
  return {
    connect: user.connect,
    disconnect: user.disconnect,
    onMessage(type, handler) {
      user.addHandler(type, handler);
      return () => user.removeHandler(type, handler);
    },
    offMessage: (type, handler) => user.removeHandler(type, handler),
    sendMessage: (message) => user.send(message),
    startStream: (cameraId, { rtspUrl, quality } = {}) =>
      user.request('stream_start_request', {
        camera_id: cameraId,
        ...(rtspUrl !== undefined && { rtsp_url: rtspUrl }),
        ...(quality !== undefined && { quality }),
      }),
    stopStream: (cameraId) => user.request('stream_stop_request', { camera_id: cameraId }),
    changeStreamQuality: (cameraId, quality) =>
      user.request('stream_quality_change', { camera_id: cameraId, quality }),
    subscribeToCamera: user.subscribe,
    unsubscribeFromCamera: user.unsubscribe,
    generateRequestId: newId,
  };
}
