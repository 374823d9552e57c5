import { describe, expect, test } from 'vitest';
import { legacyEvent } from '../../../src/hub/legacy/legacy-event.ts';
import { legacyItem } from '../../../src/hub/legacy/legacy-item.ts';
import type { LegacyMessage } from '../../../src/protocol/legacy.ts';

const arrival = { receivedMs: 1_767_225_600_000, clockSuspect: false };
const alert: LegacyMessage = {
  type: 'alert_triggered',
  timestamp: 1_767_225_590.25,
  request_id: 'r-1',
  data: { type: 'intrusion', camera_id: 'gate', severity: 'HIGH', data: { zone: 1 } },
};

describe('a message of the original protocol', () => {
  test('is stored in the form of the present one, its times in milliseconds', () => {
    const item = legacyItem('box', alert, arrival);
    expect(item).toMatchObject({
      type: 'alert_triggered',
      cameraId: 'gate',
      schemaVersion: 1,
      deviceMs: 1_767_225_590_250,
      status: 0,
    });
    expect(JSON.parse(item.body)).toMatchObject({ severity: 'high', timestamp: 1_767_225_590_250 });
  });

  test('is kept as it came where its meaning is not certain', () => {
    const data = { camera_id: 'gate', detections: [{ class: 'car', bbox: [10, 20, 300, 400] }] };
    const item = legacyItem('box', { type: 'ai_detection_result', data }, arrival);
    expect(item).toMatchObject({ status: 2, schemaVersion: null, deviceMs: arrival.receivedMs });
    expect(JSON.parse(item.body)).toEqual(data);
  });

  test('has the same id when it is sent again, and none without a request id', () => {
    const id = (change: Partial<LegacyMessage> = {}, client = 'box') =>
      legacyItem(client, { ...alert, ...change } as LegacyMessage, arrival).messageId;
    expect(id()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(id()).toBe(id());
    expect(new Set([id(), id({ request_id: 'r-2' }), id({ timestamp: 1 }), id({}, 'b')]).size).toBe(
      4,
    );
    expect(id({ request_id: null })).toBeNull();
    expect(id({ request_id: undefined })).toBeNull();
  });
});

describe('an event for a viewer of the original protocol', () => {
  const event = {
    type: 'object_event',
    timestamp: 1_767_225_590_250,
    event_id: 7,
    client_id: 'box',
    schema_version: 1,
    data: { start_time: 1000, end_time: null, timestamp: 1500, label: 'car' },
  };

  test('has every time in seconds', () => {
    expect(JSON.parse(legacyEvent(JSON.stringify(event)) ?? '')).toEqual({
      type: 'object_event',
      data: { start_time: 1, end_time: null, timestamp: 1.5, label: 'car' },
      timestamp: 1_767_225_590.25,
    });
  });

  test('keeps data that came in the original form', () => {
    const { schema_version: _, ...opaque } = event;
    const text = legacyEvent(JSON.stringify(opaque));
    expect(JSON.parse(text ?? '')).toMatchObject({ data: event.data });
  });

  test('is not one that happened long ago', () => {
    expect(legacyEvent(JSON.stringify({ ...event, replayed: true }))).toBeNull();
  });
});
