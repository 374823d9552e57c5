// Writes docs/errors.md from the catalogue of error codes in the compiled program.
// `--check` writes nothing, and fails when the document differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CATALOGUE } from '../dist/system/error-catalogue.js';

const document = fileURLToPath(new URL('../docs/errors.md', import.meta.url));

const ROOMS = {
  API: 'Control socket and local API',
  CAPTURE: 'Cameras and video',
  CONFIG: 'Configuration',
  HUB: 'Hub',
  MODEL: 'Models',
  PEOPLE: 'People',
  STORE: 'Store',
  SYSTEMD: 'systemd',
  UPLINK: 'Uplink',
  VISION: 'Vision process',
};

function render() {
  const rooms = new Map();
  for (const code of Object.keys(ERROR_CATALOGUE).sort()) {
    const prefix = code.split('_')[0];
    const title = ROOMS[prefix] ?? 'The program itself';
    rooms.set(title, [...(rooms.get(title) ?? []), code]);
  }
  const sections = [...rooms].sort(([a], [b]) => (a < b ? -1 : 1)).map(section);
  return [
    '# Errors',
    'Every failure has a code that never changes: it stands in square brackets behind the message on the ' +
      'terminal, and as `code` in the log, the status and the messages to the hub. The message beside it says ' +
      'what happened this time; this list says what the code means and what to do.',
    'This file is made by `npm run docs` from `src/system/error-catalogue.ts`.',
    ...sections,
  ].join('\n\n');
}

function section([title, codes]) {
  const entries = codes.map((code) => {
    const { summary, remedy } = ERROR_CATALOGUE[code];
    return `### ${code}\n\n${summary}\n\n**What to do:** ${remedy}`;
  });
  return [`## ${title}`, ...entries].join('\n\n');
}

const expected = `${render()}\n`;
if (!process.argv.includes('--check')) writeFileSync(document, expected);
else if (readFileSync(document, 'utf8') !== expected) {
  console.error('docs/errors.md is not what the error catalogue says; run: npm run docs');
  process.exitCode = 1;
}
