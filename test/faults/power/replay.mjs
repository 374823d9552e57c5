// Checks crash states: opens each as SQLite would after a power cut and looks for what had been promised by then.
//
// Argument: JSON {records, dir, seed, variants, part, parts, stride, file, table, lie, dist}. `records`: log of
// recorder.c. `dir`: folder to lay the states out in, best in memory. `variants`: random states beside the two
// extremes at each call. `part` of `parts`: this process's share. `stride`: only every so many calls are looked at,
// and more of them near a checkpoint. `file`, `table`: database and table of the alerts. `lie`: fsyncs of the write-ahead log
// count for nothing, as on a disk that lies about them. `dist`: URL of the compiled program, whose store opens a
// share of the states as the daemon would before they are looked at; null for none.
// Prints one JSON line: {states, opened, lost, damaged, examples}.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Disk, readRecords, seeded } from './crash-states.mjs';

const options = JSON.parse(process.argv[2]);
const MOST_EXAMPLES = 5;
/** So many are proof enough; a program that never syncs leaves states that take long to make. */
const MOST_FAILURES = 25;
/** Of so many states the program itself opens one. */
const OPENED_EVERY = 120;
/** Calls on the main file move the log into it: states so close to one are looked at more often. */
const NEAR = 20;

const result = { states: 0, opened: 0, lost: 0, damaged: 0, examples: [] };
const promised = { kept: new Set(), freed: 0 };

function note(data) {
  for (const line of data.toString().split('\n').slice(0, -1)) {
    const [what, number] = line.split(' ');
    if (what === 'kept') promised.kept.add(Number(number));
    else promised.freed = Math.max(promised.freed, Number(number));
  }
}

function layOut(images) {
  rmSync(options.dir, { recursive: true, force: true });
  mkdirSync(options.dir, { recursive: true });
  for (const { name, content } of images) writeFileSync(join(options.dir, name), content);
}

/** Numbers of the alerts in the state whose bodies are whole; null where the file is damaged. */
function alertsIn() {
  const db = new Database(join(options.dir, options.file));
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    if (db.pragma('quick_check(1)', { simple: true }) !== 'ok') return null;
    const hasTable = db
      .prepare('SELECT count(*) FROM sqlite_schema WHERE name = ?')
      .pluck()
      .get(options.table);
    if (hasTable === 0) return new Set();
    const bodies = db
      .prepare(`SELECT CAST(body AS TEXT) AS body FROM ${options.table}`)
      .pluck()
      .all();
    return new Set(bodies.map(numberOf).filter((n) => n !== null));
  } finally {
    db.close();
  }
}

/** How the body of each alert ends. */
const endings = [];

/** The number of an alert whose body is what its number makes it; null of anything else. */
function numberOf(body) {
  const found = /"n":(\d+),"filler"/.exec(body);
  if (found === null) return null;
  const n = Number(found[1]);
  endings[n] ??= `"n":${n},"filler":"${String(n % 10).repeat((n * 977) % 6000)}"}}`;
  return body.endsWith(endings[n]) ? n : null;
}

/** The daemon's own start over the state: it may put nothing aside that was whole. */
async function openAsDaemon() {
  const { Store } = await import(new URL('store/store.js', options.dist));
  const { systemClock: clock } = await import(new URL('system/clock.js', options.dist));
  const { silentLogger: log } = await import(new URL('system/logger.js', options.dist));
  const store = await Store.open({ dir: options.dir, clock, log });
  await store.close();
  result.opened++;
}

async function check(images, at) {
  result.states++;
  layOut(images);
  let found = null;
  let reason = 'quick_check';
  try {
    if (options.dist !== null && result.states % OPENED_EVERY === 0) await openAsDaemon();
    found = alertsIn();
  } catch (error) {
    reason = String(error);
  }
  const missing = [...promised.kept].filter((n) => n > promised.freed && !found?.has(n));
  if (found === null) result.damaged++;
  else if (missing.length > 0) result.lost++;
  else return;
  if (result.examples.length < MOST_EXAMPLES)
    result.examples.push(
      found === null ? `call ${at}: ${reason}` : `call ${at}: ${missing} missing`,
    );
}

const records = readRecords(options.records);
const onMain = records.flatMap(({ name }, at) => (name === options.file ? [at] : []));
const isNear = (at) => onMain.some((other) => Math.abs(other - at) <= NEAR);

const disk = new Disk();
for (const [at, record] of records.entries()) {
  if (record.operation === 'mark') note(record.data);
  const isBelieved = !(options.lie && record.operation === 'sync' && record.name.endsWith('-wal'));
  if (isBelieved) disk.apply(record);
  if (result.lost + result.damaged >= MOST_FAILURES) break;
  if (at % options.parts !== options.part) continue;
  const stride = isNear(at) ? Math.ceil(options.stride / 10) : options.stride;
  if (Math.floor(at / options.parts) % stride !== 0) continue;
  await check(disk.everything(), at);
  if (!disk.isUncertain) continue;
  await check(disk.certain(), at);
  const random = seeded(options.seed + at);
  for (let n = 0; n < options.variants; n++) await check(disk.part(random), at);
}
rmSync(options.dir, { recursive: true, force: true });
console.log(JSON.stringify(result));
