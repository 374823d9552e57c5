// Writes the tables in docs/hub-api.md from the compiled program.
// `--check` writes nothing, and fails when the document differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HUB_FIGURES } from '../dist/hub/http/hub-figures.js';
import { PROBLEMS } from '../dist/hub/http/problem.js';

const document = fileURLToPath(new URL('../docs/hub-api.md', import.meta.url));

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}

const figures = table(
  ['group', 'name', 'meaning'],
  Object.values(HUB_FIGURES).map(({ group, name, help }) => [`\`${group}\``, `\`${name}\``, help]),
);
const problems = table(
  ['code', 'status', 'meaning'],
  Object.entries(PROBLEMS).map(([code, { status, title }]) => [`\`${code}\``, status, `${title}.`]),
);

function replaced(text, name, content) {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  return (
    text.slice(0, text.indexOf(begin) + begin.length) + content + text.slice(text.indexOf(end))
  );
}

const present = readFileSync(document, 'utf8');
const expected = replaced(replaced(present, 'figures', figures), 'problems', problems);
if (!process.argv.includes('--check')) writeFileSync(document, expected);
else if (present !== expected) {
  console.error('docs/hub-api.md is not what the program tells; run: npm run docs');
  process.exitCode = 1;
}
