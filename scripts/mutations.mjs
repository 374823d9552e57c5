// Proves that the fault tests can fail: applies one fault to a copy of the program at a time and expects the test
// that is named beside it to notice. Exit code 1 where a mutation survives, or a test fails without one.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTATIONS } from './mutations/catalogue.mjs';

const USAGE = `usage: npm run test:mutations -- [WORD...] [--list] [--mutants-only]
Only mutations whose name holds one of the words; all without.
--mutants-only  leaves out the runs without a mutation`;

const root = fileURLToPath(new URL('..', import.meta.url));
const COPIED = ['src', 'test', 'scripts', 'models', 'docs', 'systemd', 'package.json'];
const CONFIGS = ['tsconfig.json', 'tsconfig.test.json', 'vitest.config.ts', 'config.example.yaml'];

/** A copy of the repository to be broken; node_modules is shared and only read. */
function makeScratch() {
  const scratch = mkdtempSync(join(tmpdir(), 'apex-mutations-'));
  for (const name of [...COPIED, ...CONFIGS])
    cpSync(join(root, name), join(scratch, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  return scratch;
}

/** Replaces text in a file of the copy. A text that is gone or not unique means that the catalogue is stale. */
function patch(scratch, { file, find, replace }) {
  const path = join(scratch, file);
  const text = readFileSync(path, 'utf8');
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} holds the text to replace ${count} times:\n${find}`);
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
}

/** 'green', 'red', or 'broken' where no test ran: a mutation that does not build or start proves nothing. */
function runTest(scratch, { file, name }) {
  const report = join(scratch, 'report.json');
  rmSync(report, { force: true });
  const reporters = ['--reporter=json', `--outputFile=${report}`];
  const args = ['vitest', 'run', '--project', 'faults', file, '-t', name, ...reporters];
  const env = { ...process.env, CI: 'true' };
  const { stdout, stderr } = spawnSync('npx', args, { cwd: scratch, encoding: 'utf8', env });
  writeFileSync(join(scratch, 'output.txt'), stdout + stderr);
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    if (numFailedTests > 0) return 'red';
    return numPassedTests > 0 ? 'green' : 'broken';
  } catch {
    // The build failed, so that vitest wrote no report.
    return 'broken';
  }
}

function judge(mutation) {
  const scratch = makeScratch();
  try {
    for (const change of mutation.changes) patch(scratch, change);
    return mutation.tests.map((test) => {
      const result = runTest(scratch, test);
      if (result === 'broken') console.error(readFileSync(join(scratch, 'output.txt'), 'utf8'));
      return { test, result };
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function report(name, expected, outcomes) {
  for (const { test, result } of outcomes) {
    const verdict = result === expected ? 'ok      ' : 'NOT OK  ';
    console.log(`${verdict} ${name.padEnd(52)} ${result.padEnd(7)} ${test.name}`);
  }
  return outcomes.filter(({ result }) => result !== expected).length;
}

const { values, positionals } = parseArgs({
  options: {
    list: { type: 'boolean' },
    'mutants-only': { type: 'boolean' },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
});
const chosen = MUTATIONS.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
if (values.help || chosen.length === 0) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
if (values.list) {
  for (const { name, tests } of chosen)
    console.log(`${name}: ${tests.map((test) => test.name).join('; ')}`);
  process.exit(0);
}
let wrong = 0;
if (!values['mutants-only']) {
  const tests = [
    ...new Map(chosen.flatMap((entry) => entry.tests).map((test) => [test.name, test])),
  ];
  const sound = { changes: [], tests: tests.map(([, test]) => test) };
  wrong += report('(none)', 'green', judge(sound));
}
for (const mutation of chosen) wrong += report(mutation.name, 'red', judge(mutation));
console.log(`${chosen.length} mutations, ${wrong} not as expected`);
process.exit(wrong === 0 ? 0 : 1);
