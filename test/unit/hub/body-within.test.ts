import { describe, expect, test } from 'vitest';
import { bodyWithin } from '../../../src/hub/fan-out/body-within.ts';
import { liveEvent } from '../../../src/hub/fan-out/live-event.ts';
import { type Scopes, USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { storedBatch } from '../../support/stored-events.ts';

const YARD: Scopes = { ...USUAL_SCOPES, cameras: ['yard'] };
const ENGINE = { timestamp: 1, status: 'degraded', provider: null, model: 'm' };
const gate = { camera_id: 'gate', state: 'failed', fps: 0, error_message: 'rtsp at gate' };
const yard = { camera_id: 'yard', state: 'streaming', fps: 5, x_of_the_future: true };
const STATUS = JSON.stringify({ ...ENGINE, cameras: [gate, yard] });

function within(scopes: Scopes, body: unknown): unknown {
  return JSON.parse(bodyWithin(scopes, 'ai_engine_status', JSON.stringify(body)));
}

describe("an engine's status", () => {
  test('goes as it is to who may see all cameras, and so does every other message to all', () => {
    expect(bodyWithin(USUAL_SCOPES, 'ai_engine_status', STATUS)).toBe(STATUS);
    expect(bodyWithin(YARD, 'alert_triggered', STATUS)).toBe(STATUS);
  });

  test('tells of the engine and of the cameras within the scope', () => {
    expect(within(YARD, { ...ENGINE, cameras: [gate, yard] })).toEqual({
      ...ENGINE,
      cameras: [yard],
    });
    expect(within({ ...YARD, cameras: [] }, { ...ENGINE, cameras: [gate, yard] })).toEqual({
      ...ENGINE,
      cameras: [],
    });
  });

  test.each<[string, unknown, unknown]>([
    ['what else it holds', { ...ENGINE, active: ['gate'] }, { ...ENGINE, cameras: [] }],
    ['objects where words belong', { status: { gate: 'failed' } }, { cameras: [] }],
    ['cameras by name', { cameras: { gate: 'failed' } }, { cameras: [] }],
    [
      'cameras of other forms',
      { cameras: ['gate', null, [gate], { id: 'gate' }] },
      { cameras: [] },
    ],
    ['lists', [gate], {}],
    ['nothing at all', null, {}],
  ])('of free form is not passed on with %s', (_what, body, expected) => {
    expect(within(YARD, body)).toEqual(expected);
  });

  test('is narrowed once for all that share a token, and for nobody else', () => {
    const batch = storedBatch('edge-1', [
      { type: 'ai_engine_status', cameraId: null, body: STATUS },
    ]);
    const event = liveEvent(batch, batch.items[0]!, 7);
    expect(event.within(USUAL_SCOPES)).toBe(event);
    const part = event.within(YARD);
    expect(event.within(YARD)).toBe(part);
    expect(part.text()).not.toContain('gate');
    expect(part.wire().toString()).not.toContain('gate');
    expect(event.text()).toContain('gate');
    expect(JSON.parse(part.text())).toMatchObject({ event_id: 7, client_id: 'edge-1' });
  });
});

describe('an alert of several cameras', () => {
  const offline = (id: string) => ({
    camera_id: id,
    why: `${id} is offline`,
    fault: { message: id },
  });
  const ALERT = {
    type: 'camera_offline',
    camera_ids: ['gate', 'yard', 'dock'],
    severity: 'high',
    timestamp: 1,
    data: {
      why: 'gate, yard and dock are offline',
      cameras: ['gate', 'yard', 'dock'].map(offline),
      switch: 'of the gate',
    },
    note: 'gate',
  };
  const alertWithin = (cameras: string[], body: unknown): unknown =>
    JSON.parse(bodyWithin({ ...YARD, cameras }, 'alert_triggered', JSON.stringify(body)));

  test('tells a token for some of them about these, in their own words', () => {
    expect(alertWithin(['yard', 'dock', 'other'], ALERT)).toEqual({
      type: 'camera_offline',
      camera_ids: ['yard', 'dock'],
      severity: 'high',
      timestamp: 1,
      data: {
        why: 'yard is offline; dock is offline',
        cameras: [offline('yard'), offline('dock')],
      },
    });
  });

  test('goes as it is to who may see all of them', () => {
    const text = JSON.stringify(ALERT);
    expect(bodyWithin(USUAL_SCOPES, 'alert_triggered', text)).toBe(text);
    const all = { ...YARD, cameras: ['dock', 'gate', 'yard'] };
    expect(bodyWithin(all, 'alert_triggered', text)).toBe(text);
  });

  test.each<[string, unknown]>([
    ['entries of no form', { ...ALERT, data: { cameras: ['gate', null, [offline('gate')]] } }],
    ['no data', { ...ALERT, data: null }],
    ['a camera beside its list', { ...ALERT, camera_id: 'gate', data: {} }],
    ['objects where words belong', { ...ALERT, severity: { gate: 1 }, data: {} }],
    ['a list that is none', { ...ALERT, camera_ids: { gate: 1 } }],
  ])('names no other camera with %s', (_what, body) => {
    expect(JSON.stringify(alertWithin(['yard'], body))).not.toContain('gate');
  });
});
