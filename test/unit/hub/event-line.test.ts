import { describe, expect, test } from 'vitest';
import { formatEvent } from '../../../src/hub/tail/event-line.ts';
import type { BroadcastEvent } from '../../../src/protocol/subscription.ts';

const box = { x: 0, y: 0, width: 0.1, height: 0.1 };
const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 67);

function line(type: string, data: unknown, more: Partial<BroadcastEvent> = {}): string {
  const event = { type, data, timestamp: AT, event_id: 1, client_id: 'edge-1', ...more };
  return formatEvent(event, { timeZone: 'UTC' });
}

describe('event line', () => {
  test('detections with their scores', () => {
    const object = (label: string, confidence: number) => ({
      type: label,
      label,
      confidence,
      bounding_box: box,
    });
    const data = {
      camera_id: 'gate',
      timestamp: AT,
      detections: [object('person', 0.912), object('car', 0.5)],
    };
    expect(line('ai_detection_result', data)).toBe(
      '2026-01-02 03:04:05.067  edge-1  gate  ai_detection_result  person 0.91, car 0.50',
    );
    expect(line('ai_detection_result', { ...data, detections: [] })).toMatch(/ {2}nothing$/);
  });

  test('an object event with its phase, track and stay', () => {
    const data = {
      phase: 'end',
      event_id: 'e1',
      camera_id: 'gate',
      type: 'person',
      label: 'person',
      track_id: 7,
      start_time: AT,
      last_seen_time: AT + 6400,
      end_time: AT + 6400,
      end_reason: 'left',
      score: 0.8,
      top_score: 0.93,
      bounding_box: box,
      has_snapshot: true,
      model: 'yolov8n',
      timestamp: AT,
    };
    expect(line('object_event', data, { replayed: true })).toMatch(
      / {2}end person #7 0\.93, 6\.4 s \(left\) \(late\)$/,
    );
    const zones = { current_zones: ['dock'], entered_zones: ['yard', 'dock'] };
    expect(line('object_event', { ...data, ...zones })).toMatch(
      / {2}end person #7 0\.93, 6\.4 s, was in yard, dock \(left\)$/,
    );
    const { end_reason, ...going } = { ...data, ...zones, phase: 'update', end_time: null };
    expect(line('object_event', going)).toMatch(/ {2}update person #7 0\.93, 6\.4 s, in dock$/);
    expect(line('object_event', { ...going, current_zones: [] })).toMatch(/ 6\.4 s$/);
  });

  test('alerts, faces and the state of an edge', () => {
    const alert = {
      type: 'intrusion',
      camera_id: 'gate',
      severity: 'high',
      timestamp: AT,
      data: {},
    };
    expect(line('alert_triggered', alert)).toMatch(/high intrusion$/);
    const faces = { camera_id: 'gate', timestamp: AT, faces: [{}] };
    expect(line('face_detection_result', faces)).toMatch(/1 face$/);
    const state = {
      timestamp: AT,
      status: 'running',
      provider: 'cpu',
      model: 'yolov8n',
      cameras: [{ camera_id: 'gate', state: 'streaming', fps: 5 }],
    };
    expect(line('ai_engine_status', state)).toMatch(
      / {2}- {2}ai_engine_status {2}running yolov8n on cpu; gate streaming 5\.0 fps$/,
    );
  });

  test('what is unknown or malformed is shown as JSON', () => {
    expect(line('smoke_detected', { level: 3 })).toMatch(/\{"level":3\}$/);
    expect(line('object_event', { phase: 'odd' })).toMatch(/\{"phase":"odd"\}$/);
    expect(line('constructor', null)).toMatch(/ {2}null$/);
  });

  test('control characters do not reach the terminal', () => {
    expect(line('x\u001b[2J', {}, { client_id: 'a\nb' })).not.toMatch(/\p{Cc}/u);
  });
});
