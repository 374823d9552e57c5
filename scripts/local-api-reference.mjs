// Writes the tables in docs/api.md from the compiled program.
// `--check` writes nothing, and fails when the document differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { API_PROBLEMS } from '../dist/api/http/problem.js';
import { ROUTES } from '../dist/protocol/local-api/routes.js';

const document = fileURLToPath(new URL('../docs/api.md', import.meta.url));

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}

const routes = table(
  ['route', 'role', 'does'],
  Object.entries(ROUTES).map(([key, { role, summary }]) => [`\`${key}\``, role, summary]),
);
const problems = table(
  ['code', 'status', 'meaning'],
  Object.entries(API_PROBLEMS).map(([code, { status, title }]) => [
    `\`${code}\``,
    status,
    `${title}.`,
  ]),
);

function replaced(text, name, content) {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  return (
    text.slice(0, text.indexOf(begin) + begin.length) + content + text.slice(text.indexOf(end))
  );
}

const present = readFileSync(document, 'utf8');
const expected = replaced(replaced(present, 'routes', routes), 'problems', problems);
if (!process.argv.includes('--check')) writeFileSync(document, expected);
else if (present !== expected) {
  console.error('docs/api.md is not what the program tells; run: npm run docs');
  process.exitCode = 1;
}
