// Benchmarks, measured side by side in one run on this machine.
// usage: npm run bench -- pipeline [--json] [--rounds N] [--frames N] [--clip FILE] [--model FILE]
import { parseArgs } from 'node:util';
import { runPipelineBench } from './bench/pipeline.mjs';

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    frames: { type: 'string', default: '300' },
    clip: { type: 'string' },
    model: { type: 'string' },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
});
const [bench] = positionals;
if (values.help || bench !== 'pipeline') {
  console.log(
    'usage: npm run bench -- pipeline [--json] [--rounds N] [--frames N] [--clip FILE] [--model FILE]',
  );
  process.exit(values.help ? 0 : 2);
}
await runPipelineBench({ ...values, rounds: Number(values.rounds), frames: Number(values.frames) });
