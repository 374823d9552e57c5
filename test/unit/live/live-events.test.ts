import { expect, test } from 'vitest';
import { TokenDirectory } from '../../../src/hub/door/token-directory.ts';
import { LiveEvents } from '../../../src/live/live-events.ts';
import { LiveTickets } from '../../../src/live/live-tickets.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';

const everything = { types: null, cameras: null, severities: null, scopes: USUAL_SCOPES };

function publish(events: LiveEvents, cameraId: string, extra: object = {}): void {
  events.publish({
    type: 'ai_detection_result',
    cameraId,
    data: { camera_id: cameraId, ...extra },
    wallMs: 5,
  });
}

test('events are numbered, and read on from any of them', async () => {
  const events = new LiveEvents({ edgeId: 'box-1', wallMs: () => 10 });
  const told: number[] = [];
  events.listen(({ eventIds }) => told.push(...eventIds));
  for (const camera of ['hall', 'yard', 'hall']) publish(events, camera);
  expect([told, events.lastEventId, events.oldestEventId]).toEqual([[1, 2, 3], 3, 1]);
  const page = await events.follow({ ...everything, afterEventId: 1 });
  expect(page.frames.map((frame) => JSON.parse(frame))).toMatchObject([
    { type: 'ai_detection_result', event_id: 2, client_id: 'box-1', data: { camera_id: 'yard' } },
    { event_id: 3 },
  ]);
  const own = await events.follow({ ...everything, cameras: ['yard'], afterEventId: 0 });
  expect([own.frames.length, own.throughEventId]).toEqual([1, 3]);
  expect(await events.follow({ ...everything, afterEventId: 99 })).toMatchObject({
    frames: [],
    throughEventId: 99,
  });
});

test('the oldest are given up, which shows', async () => {
  const events = new LiveEvents({ edgeId: 'box-1', wallMs: () => 10 });
  const body = 'x'.repeat(100_000);
  for (let count = 0; count < 200; count++) publish(events, 'hall', { body });
  expect(events.oldestEventId).toBeGreaterThan(100);
  const page = await events.follow({ ...everything, afterEventId: 0 });
  expect(JSON.parse(page.frames[0] ?? '{}').event_id).toBe(events.oldestEventId);
  for (let count = 0; count < 45_000; count++) publish(events, 'hall');
  expect(events.lastEventId - events.oldestEventId).toBe(19_999);
});

test('a person who is forgotten is in none of them', async () => {
  const events = new LiveEvents({ edgeId: 'box-1', wallMs: () => 10 });
  const identity = {
    person_id: 'person-abcdefghjk',
    name: 'Anna',
    confidence: 1,
    threat_level: 'safe',
  };
  publish(events, 'hall', { identity });
  events.forgetPerson({ personId: 'person-abcdefghjk', names: ['Anna'] });
  const { frames } = await events.follow({ ...everything, afterEventId: 0 });
  expect(frames.join()).not.toMatch(/Anna|person-abcdefghjk/);
});

test('tickets: once, soon, and as long as their session goes on', () => {
  const token = {
    name: 'anna',
    type: 'frontend' as const,
    sha256: 'a'.repeat(64),
    scopes: USUAL_SCOPES,
  };
  let nowMs = 0;
  let count = 0;
  const open = new Set(['s-1']);
  const tickets = new LiveTickets({
    tokens: new TokenDirectory([token]),
    isOpen: (id) => open.has(id),
    clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    newSecret: () => `ticket-${++count}`,
  });
  const check = (text: string) => tickets.check(text, 'frontend', nowMs);
  const { ticket } = tickets.issue({ token, sessionId: 's-1' });
  expect(tickets.check(ticket, 'ai_engine', nowMs).isAdmitted).toBe(false);
  const admitted = check(ticket);
  expect(admitted).toMatchObject({ isAdmitted: true, token: { name: 'anna' } });
  expect(check(ticket).isAdmitted).toBe(false);
  const late = tickets.issue({ token, sessionId: null });
  nowMs += 30_000;
  expect(check(late.ticket).isAdmitted).toBe(false);
  if (!admitted.isAdmitted) return;
  expect(tickets.faultOf(admitted.token, nowMs)).toBeNull();
  open.delete('s-1');
  expect(tickets.faultOf(admitted.token, nowMs)).toBe('the session has ended');
  expect(check(tickets.issue({ token, sessionId: 's-1' }).ticket).isAdmitted).toBe(false);
});
