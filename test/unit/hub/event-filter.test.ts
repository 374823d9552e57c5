import { describe, expect, test } from 'vitest';
import {
  everythingWithin,
  filterOf,
  matches,
  withinScope,
} from '../../../src/hub/fan-out/event-filter.ts';
import { EventRoutes } from '../../../src/hub/fan-out/event-routes.ts';
import { textFrame } from '../../../src/hub/fan-out/websocket-frame.ts';
import { severityOf } from '../../../src/hub/store/severity.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';

const alert = { type: 'alert_triggered', cameras: ['gate'], severity: 'high' };
const event = { type: 'object_event', cameras: ['gate'], severity: null };
const status = { type: 'ai_engine_status', cameras: [], severity: null };
const ALL = { types: ['*'], cameras: ['*'] };
const GATE_ONLY = { ...USUAL_SCOPES, cameras: ['gate'] };

describe('subscription filter', () => {
  test('a star stands for everything', () => {
    const filter = filterOf({ types: ['*'], cameras: ['*', 'gate'] }, USUAL_SCOPES);
    expect(filter).toEqual(everythingWithin(USUAL_SCOPES));
    expect(matches(filter, alert)).toBe(true);
    expect(matches(filter, status)).toBe(true);
  });

  test('types and cameras must both match', () => {
    const filter = filterOf({ types: ['alert_triggered'], cameras: ['gate'] }, USUAL_SCOPES);
    expect(matches(filter, alert)).toBe(true);
    expect(matches(filter, { ...alert, cameras: ['dock'] })).toBe(false);
    expect(matches(filter, event)).toBe(false);
  });

  test('an event without a camera passes only where all cameras are wanted', () => {
    expect(matches(filterOf({ ...ALL, cameras: ['gate'] }, USUAL_SCOPES), status)).toBe(false);
  });

  test('an alert of several cameras passes where one of them is both asked for and allowed', () => {
    const folded = { ...alert, cameras: ['gate', 'dock'] };
    expect(matches(filterOf({ ...ALL, cameras: ['dock', 'yard'] }, USUAL_SCOPES), folded)).toBe(
      true,
    );
    expect(matches(filterOf({ ...ALL, cameras: ['yard'] }, USUAL_SCOPES), folded)).toBe(false);
    expect(matches(filterOf(ALL, GATE_ONLY), folded)).toBe(true);
    expect(matches(filterOf({ ...ALL, cameras: ['dock'] }, GATE_ONLY), folded)).toBe(false);
    expect(matches(filterOf(ALL, GATE_ONLY), { ...folded, cameras: ['dock', 'yard'] })).toBe(false);
  });

  test('an alert of no camera passes for all cameras only', () => {
    expect(matches(filterOf(ALL, USUAL_SCOPES), { ...alert, cameras: [] })).toBe(true);
    expect(matches(filterOf(ALL, GATE_ONLY), { ...alert, cameras: [] })).toBe(false);
    expect(
      matches(filterOf({ ...ALL, cameras: ['gate'] }, USUAL_SCOPES), { ...alert, cameras: [] }),
    ).toBe(false);
  });

  test('severities hold for what has one; the rest passes by its type', () => {
    const filter = filterOf({ ...ALL, severities: ['high', 'critical'] }, USUAL_SCOPES);
    expect(matches(filter, alert)).toBe(true);
    expect(matches(filter, { ...alert, severity: 'low' })).toBe(false);
    expect(matches(filter, event)).toBe(true);
  });

  test('nothing passes that the token is not for, whatever was asked', () => {
    const ofGate = filterOf(ALL, GATE_ONLY);
    expect(matches(ofGate, alert)).toBe(true);
    expect(matches(ofGate, { ...alert, cameras: ['dock'] })).toBe(false);
    expect(matches(filterOf({ ...ALL, cameras: ['dock'] }, GATE_ONLY), alert)).toBe(false);
    expect(matches(everythingWithin({ ...USUAL_SCOPES, receive: ['object_event'] }), alert)).toBe(
      false,
    );
  });

  test('what is in force is the part of what was asked that the scope allows', () => {
    expect(withinScope(['gate', 'dock'], ['*'])).toEqual(['gate', 'dock']);
    expect(withinScope(['*'], ['gate'])).toEqual(['gate']);
    expect(withinScope(['gate', 'dock'], ['gate', 'yard'])).toEqual(['gate']);
    expect(withinScope(['*'], ['*'])).toEqual(['*']);
  });
});

describe('severity of a stored body', () => {
  test.each([
    ['{"severity":"high","data":{}}', 'high'],
    ['{"data":{"severity":"high"}}', null],
    ['{"severity":5}', null],
    ['["severity"]', null],
    ['"severity"', null],
    ['null', null],
  ])('%s', (body, severity) => expect(severityOf(body)).toBe(severity));
});

describe('routes', () => {
  const subscriber = (types: string[]) => ({
    filter: filterOf({ ...ALL, types }, USUAL_SCOPES),
  });

  test('lead to those who want an event, as they come and go', () => {
    const routes = new EventRoutes<ReturnType<typeof subscriber>>();
    const [one, two] = [subscriber(['alert_triggered']), subscriber(['*'])];
    routes.add(one);
    expect(routes.to(alert)).toEqual([one]);
    routes.add(two);
    expect(routes.to(alert)).toEqual([one, two]);
    expect(routes.to(event)).toEqual([two]);
    routes.remove(one);
    expect(routes.to(alert)).toEqual([two]);
    expect(routes.size).toBe(1);
  });

  test('tell a missing camera from one without a name', () => {
    const routes = new EventRoutes<ReturnType<typeof subscriber>>();
    const unnamed = { filter: filterOf({ ...ALL, cameras: [''] }, USUAL_SCOPES) };
    routes.add(unnamed);
    expect(routes.to({ ...event, cameras: [] })).toEqual([]);
    expect(routes.to({ ...event, cameras: [''] })).toEqual([unnamed]);
  });
});

describe('a text as a WebSocket frame', () => {
  test.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 255, 255]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('of %i bytes', (length, header) => {
    const frame = textFrame('x'.repeat(length));
    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame.byteLength).toBe(header.length + length);
  });

  test('counts bytes, not characters', () => {
    const frame = textFrame('Tür');
    expect(frame[1]).toBe(4);
    expect(frame.subarray(2).toString('utf8')).toBe('Tür');
  });
});
