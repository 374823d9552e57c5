export interface EventFrameFields {
  readonly type: string;
  readonly deviceMs: number;
  readonly eventId: number;
  readonly clientId: string;
  readonly schemaVersion: number;
  readonly replayed: boolean;
  /** JSON text of the payload. */
  readonly body: string;
}

/** The frame by which a subscriber gets an event. The stored body goes in as it is, without parsing it again. */
export function eventFrame(event: EventFrameFields): string {
  const replayed = event.replayed ? ',"replayed":true' : '';
  return (
    `{"type":${JSON.stringify(event.type)},"timestamp":${event.deviceMs},"event_id":${event.eventId}` +
    `,"client_id":${JSON.stringify(event.clientId)}${replayed}` +
    `,"schema_version":${event.schemaVersion},"data":${event.body}}`
  );
}
