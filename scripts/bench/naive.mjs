// The pipeline as most tutorials arrive at it once they use typed arrays: one thread, decoded RGB frames on a
// pipe, letterbox and normalisation by JavaScript loops, the exported model as it is, decoding of every cell.
// usage: node naive.mjs MODEL CLIP FRAMES WIDTH HEIGHT -> one JSON line of measurements
import { spawn } from 'node:child_process';
import ort from 'onnxruntime-node';
import { treeUsage } from './process-tree.mjs';

const [model, clip, limit, width, height] = process.argv.slice(2);
const source = { width: Number(width), height: Number(height) };
const SIZE = 640;
const scale = Math.min(SIZE / source.width, SIZE / source.height);
const content = {
  width: Math.round(source.width * scale),
  height: Math.round(source.height * scale),
};
const pad = { left: (SIZE - content.width) >> 1, top: (SIZE - content.height) >> 1 };

function toTensor(frame) {
  const plane = SIZE * SIZE;
  const input = new Float32Array(3 * plane).fill(114 / 255);
  for (let y = 0; y < content.height; y++) {
    const sourceRow = Math.floor(y / scale) * source.width;
    for (let x = 0; x < content.width; x++) {
      const from = (sourceRow + Math.floor(x / scale)) * 3;
      const to = (y + pad.top) * SIZE + x + pad.left;
      input[to] = frame[from] / 255;
      input[to + plane] = frame[from + 1] / 255;
      input[to + 2 * plane] = frame[from + 2] / 255;
    }
  }
  return new ort.Tensor('float32', input, [1, 3, SIZE, SIZE]);
}

function candidates({ data, dims }) {
  const [, rows, cells] = dims;
  const found = [];
  for (let cell = 0; cell < cells; cell++) {
    let best = 0;
    let label = -1;
    for (let row = 4; row < rows; row++) {
      const score = data[row * cells + cell];
      if (score > best) {
        best = score;
        label = row - 4;
      }
    }
    if (best < 0.4) continue;
    const [cx, cy, w, h] = [0, 1, 2, 3].map((row) => data[row * cells + cell]);
    found.push({
      label,
      score: best,
      x1: cx - w / 2,
      y1: cy - h / 2,
      x2: cx + w / 2,
      y2: cy + h / 2,
    });
  }
  return found;
}

function iou(a, b) {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return 0;
  const area = (box) => (box.x2 - box.x1) * (box.y2 - box.y1);
  return (w * h) / (area(a) + area(b) - w * h);
}

function suppress(found) {
  const kept = [];
  for (const box of found.sort((a, b) => b.score - a.score)) {
    if (!kept.some((other) => other.label === box.label && iou(other, box) > 0.45)) kept.push(box);
  }
  return kept;
}

const session = await ort.InferenceSession.create(model);
const [inputName] = session.inputNames;
const [outputName] = session.outputNames;
const ffmpeg = spawn(
  'ffmpeg',
  [
    '-v',
    'error',
    '-stream_loop',
    '-1',
    '-i',
    clip,
    '-frames:v',
    limit,
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    'pipe:1',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const frame = new Uint8Array(source.width * source.height * 3);
let filled = 0;
let frames = 0;
let detections = 0;
let began = null;
let usage = null;
for await (const chunk of ffmpeg.stdout) {
  for (let offset = 0; offset < chunk.length; ) {
    const part = chunk.subarray(offset, offset + frame.length - filled);
    frame.set(part, filled);
    filled += part.length;
    offset += part.length;
    if (filled < frame.length) continue;
    filled = 0;
    began ??= performance.now();
    usage ??= treeUsage();
    const output = await session.run({ [inputName]: toTensor(frame) });
    detections += suppress(candidates(output[outputName])).length;
    frames++;
  }
}
const ended = treeUsage();
console.log(
  JSON.stringify({
    frames,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: ended.cpuSeconds - usage.cpuSeconds,
    rssMb: ended.rssMb,
    detections,
  }),
);
