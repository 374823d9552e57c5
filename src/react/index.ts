export type { ConnectionActions } from './actions.ts';
export {
  DEFAULT_WEBSOCKET_CONFIG,
  type EnhancedWebSocketConfig,
  type WebSocketConfig,
} from './config.ts';
export type { ConnectionFault, ConnectionStatus } from './connection-state.ts';
export {
  type EventMessage,
  type IncomingMessage,
  type IncomingMessages,
  MESSAGE_TYPES,
  type MessageHandler,
  type MessageOf,
  type MessageType,
  type OutgoingMessage,
  type StreamAnswer,
  type StreamOptions,
  type StreamQuality,
} from './messages.ts';
export { RequestError } from './requests.ts';
export type { ConnectionStats } from './snapshot.ts';
export { type EnhancedWebSocket, useEnhancedWebSocket } from './use-enhanced-websocket.ts';
