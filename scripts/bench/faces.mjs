// What faces cost: a clip with people, analysed as fast as the machine can, with faces off and on by turns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CameraPipeline } from '../../dist/edge/cameras/camera-pipeline.js';
import { DEFAULT_GATE } from '../../dist/faces/quality.js';
import { CameraFaces } from '../../dist/faces/recognition/camera-faces.js';
import { ModelStore } from '../../dist/models/model-store.js';
import { systemClock } from '../../dist/system/clock.js';
import { silentLogger } from '../../dist/system/logger.js';
import { VisionHandle } from '../../dist/vision/handle.js';
import { machine, median } from './stats.mjs';

const ROUNDS = 5;
const MIN_WIDTH_PX = 36;
const SIMILARITY = { minSimilarity: 0.4, margin: 0.08 };

const specOf = (clip) => ({
  id: 'bench',
  source: { kind: 'file', paths: [clip], pace: 'max', loop: false },
  fps: 'all',
  minScore: 0.4,
  labels: ['person'],
  decoder: 'software',
  analysed: null,
  snapshot: { maxWidth: 1280, maxHeight: 720, hidden: [] },
  ring: null,
  stallTimeoutMs: 10_000,
  frozenTimeoutMs: 0,
});

/** Seconds from the first to the last frame, frames, and faces looked at. */
async function play(isOn, { spec, faces, model, preparedDir }) {
  const vision = new VisionHandle({ clock: systemClock, random: () => 0, log: silentLogger });
  const nothing = async () => {};
  const recognition =
    isOn && new CameraFaces({ limits: SIMILARITY, minWidthPx: MIN_WIDTH_PX, people: () => [] });
  const pipeline = new CameraPipeline(spec, {
    ...{ vision, clock: systemClock, random: Math.random, log: silentLogger },
    store: { enqueue: nothing, recordEvent: nothing },
    rulesFor: () => null,
    masksFor: () => [],
    facesFor: () => recognition || null,
    evidence: { snapshots: null, faces: { save: nothing }, clipsOf: () => null },
  });
  let looks = 0;
  const read = vision.faces.bind(vision);
  vision.faces = (camera, frame, persons) => {
    looks += persons.length;
    return read(camera, frame, persons);
  };
  let [frames, first, last] = [0, 0, 0];
  const finished = new Promise((resolve) => {
    vision.on('result', (result) => {
      last = performance.now();
      if (frames++ === 0) first = last;
      pipeline.frame(result);
    });
    vision.on('camera', (status) => {
      pipeline.statusChanged(status);
      if (status.state === 'finished') resolve();
    });
  });
  vision.start({
    detector: {
      ...{ model, preparedDir, labels: ['person'], providers: ['cpu'] },
      ...{ workers: null, threadsPerWorker: 1, minScore: 0.1 },
    },
    faces: isOn ? faces : null,
    cameras: [spec],
    ffmpegPath: 'ffmpeg',
  });
  await finished;
  await vision.stop();
  return { seconds: (last - first) / 1000, frames, looks };
}

/** Models of the manifest, from the mirror or public addresses. */
async function setUp(dir, clip) {
  const store = new ModelStore({ dir: join(dir, 'models'), env: process.env });
  const pull = async (name) => (await store.pull(name)).path;
  return {
    spec: specOf(clip),
    model: await pull('yolov8n'),
    preparedDir: join(dir, 'prepared'),
    faces: {
      detector: await pull('yunet'),
      embedding: await pull('face-embedding'),
      landmarks: null,
      gate: { ...DEFAULT_GATE, minWidthPx: MIN_WIDTH_PX },
    },
  };
}

/** Off and on by turns, so that a machine that slows down slows both. */
async function measure(set, rounds, tell) {
  await play(false, set); // Prepares the model.
  const times = { off: [], on: [] };
  const looks = [];
  for (let round = 0; round < rounds; round++) {
    for (const way of round % 2 === 0 ? ['off', 'on'] : ['on', 'off']) {
      const played = await play(way === 'on', set);
      times[way].push(played.seconds);
      if (way === 'on') looks.push(played.looks);
      tell(`faces ${way.padEnd(3)} ${played.frames} frames in ${played.seconds.toFixed(2)} s`);
    }
  }
  const [off, on] = [median(times.off), median(times.on)];
  const percent = Math.round((on / off - 1) * 1000) / 10;
  return { off_s: off, on_s: on, added_percent: percent, looks: median(looks) };
}

export async function runFacesBench({ clip, rounds, quick, json }) {
  const film = clip ?? join(process.env.APEX_TEST_MEDIA ?? '', 'people-walking.mp4');
  const dir = mkdtempSync(join(tmpdir(), 'apex-bench-faces-'));
  try {
    const set = await setUp(dir, film);
    const tell = json ? () => {} : console.log;
    tell(machine(dir));
    const result = await measure(set, Number(rounds ?? (quick ? 1 : ROUNDS)), tell);
    const { off_s, on_s, added_percent, looks } = result;
    const text = `median ${off_s.toFixed(2)} s without, ${on_s.toFixed(2)} s with faces`;
    tell(`${text}: they add ${added_percent} % (${looks} looks)`);
    if (json) console.log(JSON.stringify({ machine: machine(dir), clip: film, ...result }));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
