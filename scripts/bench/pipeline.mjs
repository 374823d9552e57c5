// `npm run bench -- pipeline`: how close the pipeline comes to what the machine allows, and what other ways reach.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparedModel } from '../../dist/models/prepared-model.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const shared = join(root, '../shared');
const WORKERS = 2;
const RAW_SECONDS = 3;

function find(option, variable, folder, file) {
  const path = option ?? join(process.env[variable] ?? join(shared, folder), file);
  if (existsSync(path)) return path;
  console.error(
    `${path} is not there; set ${variable} or name it: npm run bench -- pipeline --help`,
  );
  process.exit(1);
}

/** Runs one stage as a process of its own and returns what its last line says. */
function stage(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`${command} ${args[0]} ended with ${code}`));
      else resolve(JSON.parse(output.trim().split('\n').at(-1)));
    });
  });
}

/** The same decoding, scaling and pipe as the product's, read by nobody in particular. */
function decodeOnly(clip, frames, { width, height, content }) {
  const filter = `scale=${content.width}:${content.height}:flags=bilinear,format=rgb24,format=gbrp,pad=${width}:${height}:-1:-1:color=0x727272`;
  const args = [
    '-v',
    'error',
    '-threads',
    '1',
    '-stream_loop',
    '-1',
    '-i',
    clip,
    '-an',
    '-vf',
    filter,
  ];
  const output = ['-frames:v', String(frames), '-pix_fmt', 'gbrp', '-f', 'rawvideo', 'pipe:1'];
  return new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', [...args, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
    const began = performance.now();
    child.stdout.resume();
    child.once('error', reject);
    child.once('close', () => resolve({ frames, seconds: (performance.now() - began) / 1000 }));
  });
}

function probe(clip) {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=width,height',
    '-of',
    'json',
    clip,
  ];
  const [stream] = JSON.parse(spawnSync('ffprobe', args, { encoding: 'utf8' }).stdout).streams;
  return stream;
}

function prepareSize({ width, height }) {
  const scale = 640 / Math.max(width, height);
  const content = { width: Math.round(width * scale), height: Math.round(height * scale) };
  const round = (length) => Math.ceil(length / 32) * 32;
  return { width: round(content.width), height: round(content.height), content };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Medians over the rounds. */
function summary(runs) {
  const pick = (of) => median(runs.map(of));
  return {
    fps: pick(fpsOf),
    cpu_s_per_1000_frames: pick(
      ({ cpuSeconds = Number.NaN, frames }) => (1000 * cpuSeconds) / frames,
    ),
    rss_mb: pick(({ rssMb = Number.NaN }) => rssMb),
    detections: pick(({ detections = Number.NaN }) => detections),
  };
}

const fpsOf = ({ frames, seconds }) => frames / seconds;

/**
 * One round: the pipeline between two runs of its limit. A shared machine is never twice the same, so ratios are
 * those of a round, and the report gives their median.
 */
async function measureRound(stages) {
  const before = await stages.raw_inference();
  const endToEnd = await stages.end_to_end();
  const after = await stages.raw_inference();
  const round = {
    end_to_end: endToEnd,
    raw_inference: {
      frames: before.frames + after.frames,
      seconds: before.seconds + after.seconds,
    },
    decode: await stages.decode(),
    naive: await stages.naive(),
  };
  const limit = Math.min(fpsOf(round.raw_inference), fpsOf(round.decode));
  return {
    ...round,
    ratio: fpsOf(endToEnd) / limit,
    ratio_to_naive: fpsOf(endToEnd) / fpsOf(round.naive),
  };
}

async function measure(stages, count) {
  const rounds = [];
  for (let round = 0; round < count; round++) rounds.push(await measureRound(stages));
  const over = (name) => rounds.map((round) => round[name]);
  const opencv = hasOpenCv()
    ? await stages.opencv()
    : { error: "Debian's python3-opencv is not installed" };
  return {
    end_to_end: summary(over('end_to_end')),
    raw_inference: summary(over('raw_inference')),
    decode: summary(over('decode')),
    naive: summary(over('naive')),
    ratio: median(over('ratio')),
    ratio_to_naive: median(over('ratio_to_naive')),
    opencv,
  };
}

export async function runPipelineBench({ json, rounds, frames, clip: ownClip, model: ownModel }) {
  const model = find(ownModel, 'APEX_MODELS_MIRROR', 'models', 'yolov8n.onnx');
  const clip = find(ownClip, 'APEX_TEST_MEDIA', 'media', 'one-by-one-person-detection.mp4');
  const preparedDir = join(root, '.cache/prepared');
  mkdirSync(preparedDir, { recursive: true });
  const source = probe(clip);
  const size = prepareSize(source);
  const prepared = await preparedModel({ model, preparedDir, labels: null, ...size });
  const few = Math.max(50, Math.round(frames / 3));
  const script = (name, ...args) => stage('node', [join(here, name), ...args.map(String)]);
  const of = await measure(
    {
      end_to_end: () => script('end-to-end.mjs', model, clip, frames, WORKERS, preparedDir),
      raw_inference: () =>
        script(
          'raw-inference.mjs',
          prepared.path,
          size.width,
          size.height,
          WORKERS,
          1,
          RAW_SECONDS,
        ),
      decode: () => decodeOnly(clip, frames * 3, size),
      naive: () => script('naive.mjs', model, clip, few, source.width, source.height),
      opencv: () => stage('/usr/bin/python3', [join(here, 'opencv.py'), model, clip, String(few)]),
    },
    rounds,
  );
  const report = {
    machine: `${cpus().length} x ${cpus()[0].model}`,
    clip: `${source.width}x${source.height}`,
    input: `${prepared.width}x${prepared.height}`,
    end_to_end_fps: of.end_to_end.fps,
    raw_inference_fps: of.raw_inference.fps,
    decode_fps: of.decode.fps,
    ratio: of.ratio,
    cpu_s_per_1000_frames: of.end_to_end.cpu_s_per_1000_frames,
    rss_mb: of.end_to_end.rss_mb,
    naive: peer(of.naive),
    ratio_to_naive: of.ratio_to_naive,
    opencv:
      of.opencv.error === undefined
        ? peer(summary([of.opencv]))
        : { not_measured: of.opencv.error },
  };
  if (json) console.log(JSON.stringify(report));
  else print(report);
}

function peer({ fps, cpu_s_per_1000_frames, rss_mb }) {
  return { end_to_end_fps: fps, cpu_s_per_1000_frames, rss_mb };
}

function hasOpenCv() {
  return spawnSync('/usr/bin/python3', ['-c', 'import cv2']).status === 0;
}

function print(report) {
  const row = (name, fps, cpu, rss) =>
    console.log(
      `${name.padEnd(34)} ${fps.toFixed(1).padStart(8)} ${(cpu?.toFixed(1) ?? '').padStart(18)} ${(rss?.toFixed(0) ?? '').padStart(8)}`,
    );
  console.log(`${report.machine}; clip ${report.clip}, model input ${report.input}, medians\n`);
  console.log(
    `${''.padEnd(34)} ${'frames/s'.padStart(8)} ${'CPU s/1000 frames'.padStart(18)} ${'RSS MB'.padStart(8)}`,
  );
  row('apex-edge, end to end', report.end_to_end_fps, report.cpu_s_per_1000_frames, report.rss_mb);
  row('limit: session.run alone', report.raw_inference_fps);
  row('limit: ffmpeg alone', report.decode_fps);
  const { naive, opencv } = report;
  row(
    'naive: one thread, JavaScript loops',
    naive.end_to_end_fps,
    naive.cpu_s_per_1000_frames,
    naive.rss_mb,
  );
  if (opencv.not_measured) console.log(`OpenCV DNN: not measured: ${opencv.not_measured}`);
  else row('OpenCV DNN', opencv.end_to_end_fps, opencv.cpu_s_per_1000_frames, opencv.rss_mb);
  console.log(
    `\nend to end over the slower limit: ${report.ratio.toFixed(2)}; over naive: ${report.ratio_to_naive.toFixed(2)}`,
  );
}
