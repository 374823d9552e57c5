export interface EventFrameFields {
  readonly type: string;
  readonly deviceMs: number;
  readonly correctedMs: number | null;
  readonly clockSuspect: boolean;
  readonly eventId: number;
  readonly clientId: string;
  /** Null for data in the form of the original protocol. */
  readonly schemaVersion: number | null;
  readonly replayed: boolean;
  /** JSON text of the payload. */
  readonly body: string;
}

/** The frame by which a subscriber gets an event. The stored body goes in as it is, without parsing it again. */
export function eventFrame(event: EventFrameFields): string {
  const corrected = event.correctedMs === null ? '' : `,"corrected_timestamp":${event.correctedMs}`;
  const suspect = event.clockSuspect ? ',"clock_suspect":true' : '';
  const replayed = event.replayed ? ',"replayed":true' : '';
  const version = event.schemaVersion === null ? '' : `,"schema_version":${event.schemaVersion}`;
  return (
    `{"type":${JSON.stringify(event.type)},"timestamp":${event.deviceMs},"event_id":${event.eventId}` +
    `,"client_id":${JSON.stringify(event.clientId)}${corrected}${suspect}${replayed}` +
    `${version},"data":${event.body}}`
  );
}
