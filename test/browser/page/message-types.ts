import type { EnhancedWebSocket, MessageOf } from 'apex-edge/react';

// Nothing runs here: the compiler is the test. A line that it should refuse and does not refuse is an error.

export function handlersKnowTheirMessages(hook: EnhancedWebSocket): void {
  hook.onMessage('alert_triggered', ({ data }) => data.severity satisfies string);
  hook.onMessage('ai_detection_result', ({ data }) => data.detections.length satisfies number);
  // @ts-expect-error an alert has no such field
  hook.onMessage('alert_triggered', ({ data }) => data.severty);
  // @ts-expect-error no server sends that
  hook.onMessage('alert_trigered', () => {});
}

export function messagesAreChecked(hook: EnhancedWebSocket): void {
  hook.sendMessage({ type: 'stream_stop_request', data: { camera_id: 'gate' } });
  // @ts-expect-error which camera?
  hook.sendMessage({ type: 'stream_stop_request', data: {} });
  // @ts-expect-error heartbeats are the client's own
  hook.sendMessage({ type: 'heartbeat', data: {} });
}

export function statesAreTold(message: MessageOf<'ai_engine_status'>): string {
  // @ts-expect-error there is no such state
  if (message.data.status === 'asleep') return '';
  return message.data.status;
}
