import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { configuredModelsDir } from '../edge/vision-spec.ts';
import { ModelStore } from '../models/model-store.ts';
import { type PullProgress, progressLine } from '../models/progress-line.ts';
import { defaultModelsDir } from './options.ts';
import { stopSignal } from './signals.ts';

interface FolderOptions {
  dir: string;
  config?: string;
}

const PLAIN_LINE_EVERY_MS = 2000;

export function modelsCommand(): Command {
  const command = new Command('models').description(
    'list, fetch, check and import detector models',
  );
  const subcommand = (usage: string, text: string): Command =>
    command
      .command(usage)
      .description(text)
      .option('--dir <folder>', 'folder of installed models', defaultModelsDir())
      .option('-c, --config <file>', 'use the folder that the daemon with this configuration uses');
  subcommand('list', 'the models that can be fetched, and those that are installed').action(list);
  subcommand(
    'pull <names...>',
    'fetch models: from APEX_MODELS_MIRROR first, then public addresses',
  ).action(pull);
  subcommand('verify [name]', 'compare installed files with their digests').action(verify);
  subcommand('import <file>', 'take your own YOLOv8 export (.onnx), after checking its shape')
    .requiredOption('--name <name>', 'name to use it by')
    .action(importModel);
  return command;
}

function store({ dir, config }: FolderOptions): ModelStore {
  const folder =
    config === undefined ? dir : configuredModelsDir(loadConfig(config, process.env).config);
  return new ModelStore({ dir: folder, env: process.env });
}

function list(options: FolderOptions): void {
  for (const { name, title, licence, installed, size } of store(options).list()) {
    const state = installed ? 'installed' : '-';
    const megabytes = `${(size / 1e6).toFixed(1)} MB`.padStart(9);
    console.log(
      `${name.padEnd(20)} ${state.padEnd(10)} ${megabytes}  ${title} (${licence ?? 'your own'})`,
    );
  }
}

async function pull(names: readonly string[], options: FolderOptions): Promise<void> {
  const signal = stopSignal();
  for (const name of names) {
    const { path, source, licence, notice } = await store(options).pull(name, {
      signal,
      onProgress: progressPrinter(),
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(
      source === null ? `${name} is already there: ${path}` : `${name} from ${source}: ${path}`,
    );
    console.log(`licence: ${licence}${notice === null ? '' : `. ${notice}`}`);
  }
}

/** A bar that redraws itself on a terminal, a line now and then elsewhere. */
function progressPrinter(): (progress: PullProgress) => void {
  let printedMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${progressLine(progress, process.stderr.columns)}`);
    } else if (performance.now() - printedMs >= PLAIN_LINE_EVERY_MS) {
      printedMs = performance.now();
      console.error(progressLine(progress, null));
    }
  };
}

async function verify(name: string | undefined, options: FolderOptions): Promise<void> {
  const results = await store(options).verify(name);
  for (const { name: model, state, path } of results) console.log(`${model}: ${state} (${path})`);
  if (results.length === 0) console.log('no model is installed');
  if (results.some(({ state }) => state !== 'ok')) process.exitCode = 1;
}

async function importModel(file: string, options: FolderOptions & { name: string }): Promise<void> {
  const { name, labels, path } = await store(options).import(file, { name: options.name });
  console.log(`${name}: ${labels.length} classes, ${path}`);
}
