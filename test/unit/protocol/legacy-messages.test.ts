import { describe, expect, test } from 'vitest';
import {
  isLegacyMessage,
  LEGACY_CLIENT_FRAMES,
  LEGACY_MESSAGES,
  type LegacyMessage,
} from '../../../src/protocol/legacy.ts';
import { fromLegacyMessage, toLegacyMessage } from '../../../src/protocol/legacy-messages.ts';

const NOW = 1_767_225_700_000;

function converted(type: LegacyMessage['type'], data: object, rest: object = {}) {
  const frame = LEGACY_CLIENT_FRAMES[type].parse({ type, data, ...rest });
  return fromLegacyMessage(frame as LegacyMessage, NOW);
}

function detections(...found: unknown[]) {
  const data = { camera_id: 'c', detections: found, timestamp: 1_767_225_600.25 };
  return { data, result: converted('ai_detection_result', data) };
}

const box = { x: 0.1, y: 0.2, width: 0.3, height: 0.4 };
const person = { type: 'person', label: 'person', confidence: 0.9, bounding_box: box };

describe('detections', () => {
  test.each([
    ['type, confidence, bbox', { type: 'person', confidence: 0.9, bbox: [0.1, 0.2, 0.3, 0.4] }],
    ['class and score', { class: 'person', score: 0.9, bounding_box: box }],
    ['label', { label: 'person', score: 0.9, bbox: { x: 0.1, y: 0.2, w: 0.3, h: 0.4 } }],
    ['the present form', person],
  ])('%s', (_, found) => {
    const { result } = detections(found);
    expect(result).toEqual({
      type: 'ai_detection_result',
      schemaVersion: 1,
      isOpaque: false,
      timestampMs: 1_767_225_600_250,
      data: { camera_id: 'c', detections: [person], timestamp: 1_767_225_600_250 },
    });
  });

  test('corners become an origin and a size', () => {
    const { result } = detections({
      type: 'car',
      confidence: 1,
      bbox: { x1: 0.25, y1: 0.25, x2: 0.75, y2: 1 },
    });
    expect(result.data).toMatchObject({
      detections: [
        {
          type: 'vehicle',
          label: 'car',
          bounding_box: { x: 0.25, y: 0.25, width: 0.5, height: 0.75 },
        },
      ],
    });
  });

  test('fields that this version does not know stay', () => {
    const { result } = detections({ ...person, colour: 'red', track_id: 7 });
    expect(result.data).toMatchObject({ detections: [{ colour: 'red', track_id: 7 }] });
  });

  test.each([
    ['pixels', { ...person, bounding_box: [10, 20, 300, 400] }],
    ['corners as a bare list', { ...person, bounding_box: [0.5, 0.5, 0.9, 0.9] }],
    [
      'corners the wrong way round',
      { ...person, bounding_box: { x1: 0.9, y1: 0, x2: 0.1, y2: 1 } },
    ],
    ['no box', { type: 'person', confidence: 0.5 }],
    ['three numbers', { ...person, bounding_box: [0, 0, 1] }],
    ['a class by number', { class: 3, score: 0.5, bbox: [0, 0, 1, 1] }],
    ['per cent', { ...person, confidence: 90 }],
    ['a name', 'person'],
    ['null', null],
  ])('%s leaves the whole payload as it came', (_, found) => {
    const { data, result } = detections(person, found);
    expect(result).toMatchObject({ isOpaque: true, schemaVersion: null, data });
    expect(result.timestampMs).toBe(1_767_225_600_250);
  });
});

test('a message is told from the frames of a session', () => {
  const messages = Object.keys(LEGACY_CLIENT_FRAMES).filter((type) => isLegacyMessage({ type }));
  expect(messages).toEqual([...Object.keys(LEGACY_MESSAGES), 'ai_engine_status']);
  expect(isLegacyMessage({ type: 'constructor' })).toBe(false);
});

describe('other messages', () => {
  test('an alert', () => {
    const data = { type: 'intrusion', camera_id: 'c', severity: 'HIGH', timestamp: 12.5 };
    expect(converted('alert_triggered', { ...data, data: { zone: 'dock' } })).toMatchObject({
      isOpaque: false,
      timestampMs: 12_500,
      data: { ...data, severity: 'high', timestamp: 12_500, data: { zone: 'dock' } },
    });
    expect(converted('alert_triggered', data)).toMatchObject({
      isOpaque: false,
      data: { data: {} },
    });
  });

  test.each([{ severity: 'info' }, { severity: null }, { camera_id: null }, { data: 'text' }])(
    'an alert with %j is kept as it is',
    (odd) => {
      const data = { type: 'x', camera_id: 'c', severity: 'low', timestamp: 1, ...odd };
      expect(converted('alert_triggered', data)).toMatchObject({ isOpaque: true, data });
    },
  );

  test('faces', () => {
    const faces = [{ name: 'A', bbox: [1, 2, 3, 4] }];
    const result = converted('face_detection_result', { camera_id: 'c', faces, timestamp: 1.5 });
    expect(result).toMatchObject({ isOpaque: false, data: { faces, timestamp: 1500 } });
  });

  test('a state of the engine that only its sender understands', () => {
    const data = { fps: 12, timestamp: 2 };
    const result = converted('ai_engine_status', data);
    expect(result).toMatchObject({ isOpaque: true, timestampMs: 2000, data });
  });

  test('the time is that of the payload, else of the frame, else now', () => {
    const data = { camera_id: 'c', faces: [] };
    const at = (payload: object, rest: object) =>
      converted('face_detection_result', { ...data, ...payload }, rest).timestampMs;
    expect(at({ timestamp: 1 }, { timestamp: 2 })).toBe(1000);
    expect(at({ timestamp: null }, { timestamp: 2 })).toBe(2000);
    expect(at({}, {})).toBe(NOW);
    expect(at({ timestamp: 1e300 }, {})).toBe(8.64e15);
  });
});

describe('to a server of the original protocol', () => {
  const data = { camera_id: 'c', timestamp: 1_767_225_600_250, detections: [person] };

  test('times are seconds', () => {
    expect(toLegacyMessage('ai_detection_result', data, 1_767_225_600_251, 'm-1')).toEqual({
      type: 'ai_detection_result',
      data: { ...data, timestamp: 1_767_225_600.25 },
      timestamp: 1_767_225_600.251,
      request_id: 'm-1',
    });
  });

  test('what it says is understood by us as it was meant', () => {
    const text = JSON.stringify(toLegacyMessage('ai_detection_result', data, 1, 'm-1'));
    const frame = LEGACY_MESSAGES.ai_detection_result.parse(JSON.parse(text));
    expect(fromLegacyMessage(frame, NOW)).toMatchObject({ isOpaque: false, data });
  });

  test('data without a time goes as it is', () => {
    expect(toLegacyMessage('alert_triggered', null, 1000, 'm')).toMatchObject({ data: null });
  });

  test.each(['object_event', 'ai_engine_status', 'constructor'])('%s is not sent', (type) => {
    expect(toLegacyMessage(type, {}, 1, 'm')).toBeNull();
  });
});
