// What rules cost: 16 cameras at 30 frames a second, 20 rules each, as a share of one core.
import { tmpdir } from 'node:os';
import { configSchema } from '../../dist/config/schema.js';
import { planRules } from '../../dist/edge/cameras/camera-rules-plan.js';
import { machine } from './stats.mjs';

const CAMERAS = 16;
const FPS = 30;
const RULES = 20;
const OBJECTS = [2, 10];

const ZONES = {
  yard: { coordinates: '0.1,0.4,0.9,0.4,1,1,0,1' },
  drive: { coordinates: '0,0.5,0.4,0.45,0.5,0.7,0.6,1,0,1' },
  door: { coordinates: '0.7,0.3,0.8,0.3,0.8,0.6,0.7,0.6' },
};
const LINES = {
  fence: { coordinates: '0,0.6,1,0.6' },
  gate: { coordinates: '0.5,0.2,0.5,1' },
};
const KINDS = [
  { zones: ['yard'], duration_s: 15 },
  { zones: ['drive', 'door'], labels: ['vehicle'], schedule: [{ from: '22:00', to: '06:00' }] },
  { lines: ['fence'], direction: 'left' },
  {
    lines: ['gate'],
    labels: null,
    schedule: [{ days: ['sat', 'sun'], from: '00:00', to: '24:00' }],
  },
  { count: 3, zones: ['yard', 'drive'] },
];

function scene() {
  const rules = Object.fromEntries(
    Array.from({ length: RULES }, (_, n) => [
      `rule-${n}`,
      { ...KINDS[n % KINDS.length], cooldown_s: n },
    ]),
  );
  const names = Array.from({ length: CAMERAS }, (_, n) => `camera-${n}`);
  const camera = { path: '/clip.mp4', zones: ZONES, lines: LINES };
  const cameras = Object.fromEntries(names.map((name) => [name, camera]));
  const config = configSchema.parse({ rules, cameras, site: { time_zone: 'Europe/Berlin' } });
  return names.map((name) => planRules(config, name));
}

/** Objects that walk around; a new one comes for each after 20 s. */
function objectsAt(ms, count) {
  return Array.from({ length: count }, (_, n) => {
    const at = ms / 1000 + n * 7;
    const stay = Math.floor(at / 20);
    const box = {
      x: 0.45 + 0.4 * Math.sin(at / 3 + n),
      y: 0.3 + 0.25 * Math.sin(at / 5 + 2 * n),
      width: 0.1,
      height: 0.3,
    };
    const firstSeenMs = Math.max(0, (stay * 20 - n * 7) * 1000);
    const track = {
      ...{
        id: stay * 100 + n,
        label: n % 3 === 0 ? 'car' : 'person',
        classId: 0,
        box,
        firstBox: box,
      },
      ...{ score: 0.8, topScore: 0.9, medianScore: 0.8, firstSeenMs, lastSeenMs: ms, hits: 9 },
    };
    return { track, eventId: `event-${stay}-${n}` };
  });
}

function measure(objects, seconds) {
  const cameras = scene();
  const startMs = Date.parse('2026-03-28T12:00:00Z');
  const frames = Array.from({ length: seconds * FPS }, (_, frame) => {
    const ms = (1000 * frame) / FPS;
    return { ms, seen: objectsAt(ms, objects) };
  });
  let alerts = 0;
  let known = new Set();
  const before = process.cpuUsage();
  for (const { ms, seen } of frames) {
    const now = new Set(seen.map(({ track }) => track.id));
    for (const camera of cameras) {
      for (const id of known) if (!now.has(id)) camera.forget(id);
      alerts += camera.frame(seen, { monoMs: ms, wallMs: startMs + ms }).length;
    }
    known = now;
  }
  const { user, system } = process.cpuUsage(before);
  const cpuS = (user + system) / 1e6;
  return { objects, percent: (100 * cpuS) / seconds, alerts: alerts / seconds };
}

export async function runRulesBench({ json, quick, rounds }) {
  const seconds = quick ? 20 : 300;
  const results = OBJECTS.map((objects) => {
    measure(objects, 10);
    const runs = Array.from({ length: rounds ?? (quick ? 1 : 3) }, () => measure(objects, seconds));
    return runs.sort((a, b) => a.percent - b.percent)[Math.floor(runs.length / 2)];
  });
  if (json) {
    console.log(JSON.stringify({ machine: machine(tmpdir()), results }));
    return;
  }
  console.log(machine(tmpdir()));
  console.log(
    `${RULES} rules on each of ${CAMERAS} cameras at ${FPS} frames/s, three zones, two lines`,
  );
  for (const { objects, percent, alerts } of results)
    console.log(
      `${objects} objects in view: ${percent.toFixed(2)} % of one core, ${alerts.toFixed(1)} alerts/s`,
    );
}
