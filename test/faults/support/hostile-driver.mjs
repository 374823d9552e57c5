// Attacks a hub over raw sockets, in a process of its own. Argument: JSON of `HostileOptions` (hostile.ts).
// When all frames are written it tells its figures as one JSON line on stdout and ends.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { frame, hostileFrames, KINDS } from './hostile-frames.mjs';

const options = JSON.parse(process.argv[2]);
const { host, port, frames: wanted, perS, identities, seed } = options;
/** Connections at a time, and frames of each. */
const SIDE_BY_SIDE = 24;
const MOST_FRAMES = 500;
/** For an answer of the hub; and how long a slow connection goes on. */
const PATIENCE_MS = 3000;
const SLOW_MS = 6000;

// Attackers have machines of their own: what they compute is not to slow the hub.
setPriority(constants.priority.PRIORITY_LOW);

let state = seed | 0;
/** mulberry32, as `seeded` in seed.ts. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

const folders = ['v1', 'v2'].map((version) => new URL(`../../corpus/${version}/`, import.meta.url));
const corpus = folders.flatMap((folder) =>
  readdirSync(folder).flatMap((name) =>
    JSON.parse(readFileSync(new URL(name, folder), 'utf8')).flatMap((entry) =>
      entry.frame === undefined ? [] : [JSON.stringify(entry.frame)],
    ),
  ),
);

const make = hostileFrames({ random, corpus });
const begun = performance.now();
const figures = { written: 0, connections: 0, identified: 0, refused: 0, slow: 0, requests: 0 };
const kinds = Object.fromEntries(KINDS.map((kind) => [kind, 0]));

const REQUEST =
  'GET /ws HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** Requests that are wrong before there is a WebSocket. */
const REQUESTS = [
  REQUEST.slice(0, -2),
  REQUEST.replace('13', '12'),
  REQUEST.replace(/Sec-WebSocket-Key.*\r\n\r\n/, 'Sec-WebSocket-Key: x\r\n\r\n'),
  REQUEST.replace('\r\n\r\n', `\r\nX-Long: ${'x'.repeat(70_000)}\r\n\r\n`),
  REQUEST.replace('\r\n\r\n', `\r\n${'X-Many: 1\r\n'.repeat(3000)}\r\n`),
  REQUEST.replace('GET /ws', 'POST /ws'),
  REQUEST.replace('/ws', `/${'../'.repeat(500)}etc`),
  'GET / HTTP/1.1\r\n\r\n'.repeat(200),
  '\u0016\u0003\u0001\u0002\u0000\u0001',
  'POST /api/v1/events HTTP/1.1\r\nHost: hub\r\nContent-Length: 99999999999\r\n\r\n{',
];

function open() {
  const socket = connect({ host, port });
  socket.setNoDelay(true);
  // The hub may end a connection as it likes; that is what is provoked.
  socket.on('error', () => undefined);
  return socket;
}

/** Resolves with true once the hub has said `text`, with false where the connection ended before. */
function heard(socket, text) {
  return new Promise((resolve) => {
    let all = '';
    const settle = (result) => {
      clearTimeout(timer);
      socket.off('data', onData);
      resolve(result);
    };
    const onData = (chunk) => {
      all += chunk.toString('latin1');
      if (all.includes(text)) settle(true);
    };
    const timer = setTimeout(() => settle(false), PATIENCE_MS);
    socket.on('data', onData);
    socket.once('close', () => settle(false));
  });
}

function identification({ name, token, clientType, protocol, capabilities = [] }, number) {
  const data = { client_type: clientType, auth: { token }, protocol, capabilities };
  return frame(
    JSON.stringify({
      type: 'client_identify',
      timestamp: Date.now(),
      request_id: 'i',
      data: { ...data, client_id: `hostile-${number}-${name}` },
    }),
  );
}

async function send(socket, bytes) {
  if (socket.destroyed || !socket.writable) return;
  if (socket.write(bytes)) return;
  await Promise.race([once(socket, 'drain'), once(socket, 'close'), delay(PATIENCE_MS)]).catch(
    () => undefined,
  );
}

async function attack(identity) {
  const socket = open();
  const number = ++figures.connections;
  const isGreeted = heard(socket, 'connection_established');
  socket.write(REQUEST);
  if (!(await isGreeted)) figures.refused++;
  else if (identity !== null) {
    const isWelcome = heard(socket, 'identification_success');
    socket.write(identification(identity, number));
    if (await isWelcome) figures.identified++;
    else figures.refused++;
  }
  // Some never read what the hub says.
  if (random() < 0.1) socket.pause();
  else socket.resume();
  const count = Math.min(1 + Math.floor(random() * MOST_FRAMES), wanted - figures.written);
  if (count < 1 || socket.destroyed) {
    socket.destroy();
    return;
  }
  const parts = make(count, (kind) => kinds[kind]++);
  figures.written += parts.length;
  if (perS !== null)
    await delay(Math.max(0, (1000 * figures.written) / perS - (performance.now() - begun)));
  // In pieces that begin and end anywhere.
  const bytes = Buffer.concat(parts);
  const cut = Math.floor(random() * bytes.length);
  await send(socket, bytes.subarray(0, cut));
  await send(socket, bytes.subarray(cut));
  // Some go without a word.
  if (random() < 0.7)
    await Promise.race([once(socket, 'close').catch(() => undefined), delay(100 + random() * 400)]);
  socket.destroy();
}

/** Byte by byte, for as long as it is let. */
async function dawdle(bytes, isUpgraded) {
  figures.slow++;
  const socket = open();
  socket.resume();
  if (isUpgraded) socket.write(REQUEST);
  const until = performance.now() + SLOW_MS;
  for (const byte of bytes) {
    if (socket.destroyed || performance.now() > until || figures.written >= wanted) break;
    socket.write(Buffer.of(byte));
    await delay(50);
  }
  socket.destroy();
}

async function wrongRequest(request) {
  figures.requests++;
  const socket = open();
  socket.resume();
  socket.write(request);
  await Promise.race([once(socket, 'close').catch(() => undefined), delay(200)]);
  socket.destroy();
}

async function attacker(number) {
  for (let turn = number; figures.written < wanted; turn++) {
    if (turn % 20 === 0) await wrongRequest(REQUESTS[Math.floor(turn / 20) % REQUESTS.length]);
    const choice = turn % (identities.length + 1);
    await attack(identities[choice] ?? null);
  }
}

async function dawdler(number) {
  while (figures.written < wanted)
    await dawdle(
      number % 2 === 0 ? Buffer.from(REQUEST) : frame('{"type":"heartbeat"}'),
      number % 2 === 1,
    );
}

process.stdin.resume();
await Promise.all([
  ...Array.from({ length: SIDE_BY_SIDE }, (_, number) => attacker(number)),
  ...Array.from({ length: 8 }, (_, number) => dawdler(number)),
]);
process.stdout.write(`${JSON.stringify({ ...figures, kinds })}\n`, () => process.exit(0));
