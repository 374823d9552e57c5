import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { ModelStore } from '../models/model-store.ts';
import { defaultModelsDir } from './options.ts';

interface DetectOptions {
  model: string;
  input: string;
  frames?: number[];
  threshold: number;
  labels?: string[];
  reference?: true;
  json?: true;
  dir: string;
}

function frameList(text: string): number[] {
  const frames = text.split(',').map(Number);
  if (frames.some((frame) => !Number.isSafeInteger(frame) || frame < 0)) {
    throw new InvalidArgumentError('give zero-based frame numbers with commas between: 0,40,100');
  }
  return frames;
}

function score(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('give a number from 0 to 1');
  return value;
}

export function detectCommand(): Command {
  return new Command('detect')
    .description('run a detector on a clip or image and print what it finds; needs no daemon')
    .requiredOption(
      '-m, --model <model>',
      'name of an installed model, or path of a YOLOv8 .onnx file',
    )
    .requiredOption('-i, --input <file>', 'video clip or image')
    .option('--frames <list>', 'zero-based frame numbers, such as 0,40 (default: all)', frameList)
    .option('--threshold <score>', 'lowest score to report', score, 0.4)
    .option('--labels <list>', 'only these labels, such as person,car', (text) => text.split(','))
    .option(
      '--reference',
      'run the model as exported, in a square letterbox, instead of its prepared form',
    )
    .option(
      '--json',
      'print a JSON array of {frame, detections: [{label, score, x, y, width, height}]}',
    )
    .option('--dir <folder>', 'folder of installed models', defaultModelsDir())
    .action(detect);
}

/** A model of the manifest that is not there yet is fetched: this command is for trying models. */
async function installedModel({ model, dir }: DetectOptions): Promise<string> {
  const store = new ModelStore({ dir, env: process.env });
  const isMissing = store
    .list()
    .some(({ name, origin, installed }) => name === model && origin === 'manifest' && !installed);
  if (isMissing) {
    const { source, licence } = await store.pull(model);
    console.error(`fetched ${model} from ${source} (licence: ${licence})`);
  }
  return store.resolve(model);
}

async function detect(options: DetectOptions): Promise<void> {
  // ONNX Runtime is large; only the commands that run a model load it.
  const { detectOffline } = await import('../vision/detect-offline.ts');
  const model = await installedModel(options);
  const results = detectOffline({
    model,
    input: options.input,
    frames: options.frames ?? null,
    threshold: options.threshold,
    reference: options.reference === true,
    labels: options.labels ?? null,
    ffmpegPath: 'ffmpeg',
    preparedDir: join(options.dir, 'prepared'),
  });
  const all = [];
  for await (const result of results) {
    if (options.json) {
      all.push(result);
      continue;
    }
    const found = result.detections.map(({ label, score }) => `${label} ${score.toFixed(2)}`);
    console.log(`frame ${result.frame}: ${found.join(', ') || 'nothing'}`);
  }
  if (options.json) console.log(JSON.stringify(all));
}
