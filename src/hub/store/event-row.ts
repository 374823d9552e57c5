import type { Scopes } from '../../protocol/scopes.ts';
import { bodyWithin } from '../fan-out/body-within.ts';
import { type EventFrameFields, eventFrame } from './event-frame.ts';

/** An event as it is read for its frame. */
export type EventRow = Omit<EventFrameFields, 'replayed' | 'clockSuspect'> & {
  readonly replayed: number;
  readonly clockSuspect: number;
};

export const EVENT_ROW = `event_id AS eventId, client_id AS clientId, type,
  schema_version AS schemaVersion, device_ms AS deviceMs, corrected_ms AS correctedMs,
  clock_suspect AS clockSuspect, replayed, CAST(body AS TEXT) AS body`;

/** @param scopes what the reader may see; null for everything */
export function frameOfRow(row: EventRow, scopes: Scopes | null): string {
  const { replayed, clockSuspect } = row;
  const body = scopes === null ? row.body : bodyWithin(scopes, row.type, row.body);
  return eventFrame({ ...row, body, replayed: replayed !== 0, clockSuspect: clockSuspect !== 0 });
}
