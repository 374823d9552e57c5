// How long a page of the box's journal takes with a million stored events, through the thread that reads.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEventId } from '../../dist/events/event-id.js';
import { Journal } from '../../dist/journal/journal.js';
import { JournalCore } from '../../dist/journal/journal-core.js';
import { systemClock } from '../../dist/system/clock.js';
import { silentLogger } from '../../dist/system/logger.js';
import { latencies, machine } from './stats.mjs';

export const CAMERAS = 16;
const LABELS = ['person', 'person', 'car', 'dog'];
const ZONES = ['yard', 'door', 'drive', 'lawn'];
const SEVERITIES = ['low', 'medium', 'high', 'critical'];
export const DAY_MS = 24 * 3600 * 1000;
export const DAYS = 30;
const LIMIT = 200;
const BUDGET = 1e12;

const box = { x: 0.1, y: 0.2, width: 0.1, height: 0.3 };

function event(number, atMs) {
  const start = Math.round(atMs);
  const label = LABELS[number % LABELS.length];
  const person = number % 40 === 0 ? `person-${(number / 40) % 25}` : null;
  const identity = { person_id: person, name: 'Kim Lee', confidence: 0.7, threat_level: 'safe' };
  return {
    ...{ phase: 'end', event_id: makeEventId(start, number, Math.random), type: label, label },
    ...{ camera_id: `camera-${number % CAMERAS}`, track_id: number, model: 'yolov8n' },
    ...{ start_time: start, last_seen_time: start + 9000, end_time: start + 9000 },
    ...{ score: 0.71, top_score: 0.83, bounding_box: box, has_snapshot: true, timestamp: start },
    ...{ entered_zones: number % 3 === 0 ? [ZONES[number % ZONES.length]] : [] },
    ...(person !== null && { identity }),
  };
}

function alert(number, about) {
  return {
    ...{ type: 'loitering_detected', camera_id: about.camera_id, timestamp: about.start_time },
    ...{ severity: SEVERITIES[(number / 50) % 4], data: { event_id: about.event_id } },
    alert_id: makeEventId(about.start_time, number, Math.random),
  };
}

/** How many events a second were taken in, each transaction on the disk. */
export function fillJournal(dir, events, fromMs) {
  const core = new JournalCore({
    ...{ dir, budgetBytes: BUDGET, clock: systemClock, log: silentLogger },
  });
  const lost = { events: 0, alerts: 0 };
  const begun = performance.now();
  for (let done = 0; done < events; done += 500) {
    const batch = Array.from({ length: 500 }, (_, index) =>
      event(done + index, fromMs + ((done + index) / events) * DAYS * DAY_MS),
    );
    const alerts = batch.flatMap((about, index) =>
      (done + index) % 50 === 0 ? [JSON.stringify(alert(done + index, about))] : [],
    );
    const bodies = batch.map((each) => JSON.stringify(each));
    core.answer({ op: 'write', events: bodies, alerts, lost });
    const ids = batch.filter((_, index) => index % 4 !== 0).map(({ event_id }) => event_id);
    core.answer({ op: 'review', change: { op: 'markReviewed', ids, by: 'kim' } });
  }
  core.close();
  return events / ((performance.now() - begun) / 1000);
}

const pick = (count) => Math.floor(Math.random() * count);

function queries(fromMs) {
  const time = () => ({ to_ms: fromMs + pick(DAYS * DAY_MS) });
  const camera = () => `camera-${pick(CAMERAS)}`;
  return {
    newest: () => ({}),
    'before a time': time,
    'oldest first': () => ({ ...time(), order: 'oldest' }),
    camera: () => ({ ...time(), cameras: [camera()] }),
    'five cameras': () => ({ ...time(), cameras: [1, 2, 3, 4, 5].map(camera) }),
    label: () => ({ ...time(), labels: ['dog'] }),
    zone: () => ({ ...time(), zones: ['door'] }),
    person: () => ({ ...time(), person_id: `person-${pick(25)}` }),
    'not reviewed': () => ({ ...time(), is_reviewed: false }),
    'with an alert': () => ({ ...time(), has_alert: true }),
    'camera, label, severity': () => ({
      ...{ ...time(), cameras: [camera()], labels: ['car'], severities: ['critical'] },
    }),
    'camera and zone': () => ({ ...time(), cameras: [camera()], zones: ['door'] }),
    'label that is not there': () => ({ ...time(), labels: ['zebra'] }),
  };
}

async function measure(ask, query, rounds) {
  const times = [];
  let rows = 0;
  for (let round = 0; round < rounds; round++) {
    const asked = query();
    const begun = performance.now();
    const page = await ask(asked);
    times.push(performance.now() - begun);
    rows += page.rows?.length ?? page.length;
  }
  return { ...latencies(times), rows: Math.round(rows / rounds) };
}

export async function runJournalBench({ quick, json }) {
  const dir = mkdtempSync(join(tmpdir(), 'apex-bench-journal-'));
  const events = quick ? 20_000 : 1_000_000;
  const fromMs = Date.now() - DAYS * DAY_MS;
  try {
    const perSecond = Math.round(fillJournal(dir, events, fromMs));
    const journal = new Journal({
      ...{ dir, budgetBytes: BUDGET, clock: systemClock, log: silentLogger },
    });
    const rounds = quick ? 20 : 300;
    const results = {};
    const { history } = journal;
    for (const [name, query] of Object.entries(queries(fromMs)))
      results[name] = await measure(
        (asked) => history.page({ ...asked, limit: LIMIT }),
        query,
        rounds,
      );
    const month = { from_ms: fromMs, to_ms: fromMs + DAYS * DAY_MS, per: 'hour' };
    results['hours of a month'] = await measure(
      (asked) => history.summary(asked),
      () => month,
      rounds,
    );
    await journal.close();
    const megabytes = Math.round(statSync(join(dir, 'journal.db')).size / 1e6);
    if (json) console.log(JSON.stringify({ events, megabytes, perSecond, results }));
    else {
      console.log(machine(dir));
      console.log(
        `${events} events, ${megabytes} MB, taken in at ${perSecond}/s; pages of ${LIMIT} events`,
      );
      console.table(results);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}
