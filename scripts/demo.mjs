// The demo: RTSP camera server, hub and edge as separate processes on loopback, and a live table of what they do.
// usage: demo.mjs [--test-scene] [--seconds N] [CLIP...]
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { fetchStatus } from '../dist/api/control-client.js';
import { statusLines } from '../dist/api/status-view.js';
import { formatEvent, tailEvents } from '../dist/hub/tail/tail-client.js';
import { testSceneArguments } from '../dist/models/test-scene.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = join(root, '.demo');
const cli = join(root, 'dist/cli/main.js');
const DEMO_CLIPS = {
  entrance: 'one-by-one-person-detection.mp4',
  walkway: 'people-walking.mp4',
  'car-park': 'car-detection.mp4',
  street: 'street.mp4',
};
const STEP_TIMEOUT_MS = 60_000;
const TAIL_LINES = 8;

const { values: options, positionals: ownClips } = parseArgs({
  options: {
    'test-scene': { type: 'boolean' },
    seconds: { type: 'string' },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
});
if (options.help) {
  console.log('usage: scripts/demo [--test-scene] [--seconds N] [CLIP...]');
  process.exit(0);
}

const children = [];
const stopping = new AbortController();

async function step(text, action) {
  process.stdout.write(`  ${text.padEnd(46)}`);
  const began = performance.now();
  const note = await action();
  console.log(
    ` ok (${((performance.now() - began) / 1000).toFixed(1)} s)${note ? `: ${note}` : ''}`,
  );
}

function start(name, args) {
  const log = openSync(join(work, `${name}.log`), 'w');
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
  child.once('exit', (code, signal) => {
    if (!stopping.signal.aborted)
      void stop(`${name} ended by itself (${signal ?? code}); see .demo/${name}.log`);
  });
  children.push(child);
}

async function until(what, condition) {
  const deadline = performance.now() + STEP_TIMEOUT_MS;
  while (!stopping.signal.aborted) {
    if (await condition()) return;
    if (performance.now() > deadline)
      throw new Error(
        `${what} did not happen within ${STEP_TIMEOUT_MS / 1000} s; the logs are in .demo/`,
      );
    await delay(100, undefined, { signal: stopping.signal });
  }
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Says the licence while fetching; null when the weights are there, else why they cannot be had. */
async function fetchDetector() {
  const models = join(root, '.cache/models');
  const child = spawn(process.execPath, [cli, 'models', 'pull', 'yolov8n', '--dir', models], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: stopping.signal,
  });
  child.on('error', () => {}); // ended by Ctrl-C
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].on('data', (chunk) => {
      said[stream] += chunk;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) return said.stderr.trim().split('\n')[0] || 'unknown cause';
  console.log(`\n  ${said.stdout.trim().replaceAll('\n', '\n  ')}`);
  return null;
}

/** A token of an admin for the console of this run. */
function consoleToken() {
  const made = spawnSync(
    process.execPath,
    [cli, 'access', 'init', '--config', join(work, 'edge.yaml')],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`no token for the console: ${made.stderr.trim()}`);
  return made.stdout.trim();
}

/** Its address with the token behind a `#`, which browsers send to nobody. */
async function consoleWith(token) {
  let url = null;
  await step('console', () =>
    until('the console', async () => {
      url = (await status())?.api.url ?? null;
      return url !== null;
    }),
  );
  return `${url}#token=${token}`;
}

/** Where there is a screen, the console comes up on it; elsewhere its address is shown. */
function openConsole(address) {
  if (!process.stdout.isTTY || !(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)) return;
  spawn('xdg-open', [address], { stdio: 'ignore', detached: true }).on('error', () => {});
}

/** Which clips stand for which cameras, and which detector watches them. */
async function chooseScene() {
  const media = process.env.APEX_TEST_MEDIA;
  const clips =
    ownClips.length > 0
      ? Object.fromEntries(ownClips.map((clip, index) => [`camera-${index + 1}`, resolve(clip)]))
      : Object.fromEntries(
          Object.entries(DEMO_CLIPS).map(([name, file]) => [name, join(media ?? '', file)]),
        );
  const missing = Object.values(clips).filter((clip) => !existsSync(clip));
  let why = null;
  if (options['test-scene']) why = 'asked for by --test-scene';
  else if (missing.length > 0)
    why = `no footage here (${basename(missing[0])}; APEX_TEST_MEDIA names its folder)`;
  else {
    const failure = await fetchDetector();
    if (failure !== null) why = `no detector weights to be had (${failure})`;
  }
  return why === null
    ? { model: 'yolov8n', clips, why }
    : { model: 'test-detector', clips: null, why };
}

function generateScene() {
  const output = join(work, 'test-scene.mp4');
  const made = spawnSync('ffmpeg', testSceneArguments({ seconds: 60, fps: 10, output }), {
    encoding: 'utf8',
  });
  if (made.status !== 0)
    throw new Error(`ffmpeg cannot make the test scene: ${made.stderr.trim()}`);
  return { 'test-scene': output };
}

function writeConfigs({ model, cameras, rtspPort, hubPort }) {
  const tokens = { edge: randomBytes(24).toString('hex'), viewer: randomBytes(24).toString('hex') };
  const edge = {
    edge: { id: 'demo-edge', data_dir: join(work, 'edge') },
    uplink: { url: `ws://127.0.0.1:${hubPort}/ws`, token: tokens.edge },
    detector: { model },
    models: { dir: join(root, '.cache/models') },
    api: { port: 0 },
    rules: { person_seen: { severity: 'low', cooldown_s: 30 } },
    cameras: Object.fromEntries(
      cameras.map((name) => [
        name,
        {
          url: `rtsp://127.0.0.1:${rtspPort}/${name}`,
          detect: { fps: 5, labels: model === 'test-detector' ? null : undefined },
        },
      ]),
    ),
  };
  const hub = {
    hub: {
      port: hubPort,
      data_dir: join(work, 'hub'),
      tokens: [
        { name: 'demo-edge', type: 'ai_engine', token: tokens.edge },
        { name: 'demo-viewer', type: 'frontend', token: tokens.viewer },
      ],
    },
  };
  for (const [name, config] of Object.entries({ edge, hub })) {
    writeFileSync(join(work, `${name}.yaml`), stringify(JSON.parse(JSON.stringify(config))), {
      mode: 0o600,
    });
  }
  return tokens;
}

async function status() {
  return fetchStatus(join(work, 'edge')).catch(() => null);
}

function draw(lines) {
  if (process.stdout.isTTY) process.stdout.write(`\x1b[H\x1b[J${lines.join('\n')}\n`);
  else console.log(`${lines.join('\n')}\n`);
}

async function show({ addresses, scene, received }) {
  const interval = process.stdout.isTTY ? 500 : 5000;
  const end = options.seconds ? performance.now() + Number(options.seconds) * 1000 : Infinity;
  while (!stopping.signal.aborted && performance.now() < end) {
    const now = await status();
    draw([
      'apex-edge demo: what the cameras see, as it reached the hub. Ctrl-C ends everything.',
      ...(scene.why === null ? [] : [`TEST SCENE with the built-in test detector: ${scene.why}.`]),
      '',
      ...(now === null ? ['the edge does not answer'] : statusLines(now)),
      `hub       ${received.count} messages received, ${received.events.size} object events`,
      '',
      'last at the hub',
      ...received.lines.map((line) => `  ${line}`),
      '',
      ...addresses,
    ]);
    await delay(interval, undefined, { signal: stopping.signal }).catch(() => {});
  }
}

async function listen(url, token, received) {
  for await (const event of tailEvents({ url, token, signal: stopping.signal })) {
    received.count++;
    if (event.type === 'object_event') {
      received.events.add(event.data.event_id);
      received.lines.push(formatEvent(event));
      received.lines.splice(0, received.lines.length - TAIL_LINES);
    }
  }
}

let ending = null;
function stop(reason) {
  ending ??= (async () => {
    stopping.abort();
    if (reason) console.error(`\n${reason}`);
    for (const child of children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
      await gone;
      clearTimeout(timer);
    }
    console.log(`\nEnded; logs and data of this run are in ${work}`);
    process.exit(reason ? 1 : 0);
  })();
  return ending;
}

async function main() {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  let scene;
  await step('detector weights and footage', async () => {
    scene = await chooseScene();
    return scene.model;
  });
  if (scene.why !== null) {
    console.log(
      `\n  Running the built-in test detector on a generated test scene, because: ${scene.why}.\n`,
    );
    await step('generating the test scene', () => {
      scene.clips = generateScene();
    });
  }
  const [rtspPort, hubPort] = [await freePort(), await freePort()];
  const cameras = Object.keys(scene.clips);
  const tokens = writeConfigs({ model: scene.model, cameras, rtspPort, hubPort });
  const hubUrl = `ws://127.0.0.1:${hubPort}/ws`;
  const received = { count: 0, events: new Set(), lines: [] };
  await step(`RTSP camera server, ${cameras.length} cameras`, async () => {
    const mounts = Object.entries(scene.clips).map(([name, clip]) => `${name}=${clip}`);
    start('cameras', [
      join(root, 'scripts/rtsp-camera.mjs'),
      '--port',
      String(rtspPort),
      ...mounts,
    ]);
    await until('the camera server', () => answers(rtspPort));
  });
  await step('hub', async () => {
    start('hub', [cli, 'hub', '--config', join(work, 'hub.yaml')]);
    await until('the hub', () => answers(hubPort));
    listen(hubUrl, tokens.viewer, received).catch((error) =>
      stop(`the hub cannot be read: ${error.message}`),
    );
  });
  const token = consoleToken();
  await step('edge', async () => {
    start('edge', [cli, 'run', '--config', join(work, 'edge.yaml')]);
    await until('the edge', async () => (await status())?.detector.provider != null);
  });
  await step('first frames analysed', () =>
    until('frames of every camera', async () =>
      (await status())?.cameras.every(({ fps }) => fps > 0),
    ),
  );
  await step('first message at the hub', () =>
    until('a message at the hub', () => received.count > 0),
  );
  const consoleAddress = await consoleWith(token);
  openConsole(consoleAddress);
  const addresses = [
    `console   ${consoleAddress}`,
    ...cameras.map((name) => `camera    rtsp://127.0.0.1:${rtspPort}/${name}`),
    `hub       ${hubUrl}   health: http://127.0.0.1:${hubPort}/api/health`,
    `watch it  APEX_TOKEN=${tokens.viewer} npx apex-edge tail --hub ${hubUrl}`,
    `logs      .demo/edge.log .demo/hub.log .demo/cameras.log`,
  ];
  await show({ addresses, scene, received });
  await stop();
}

async function answers(port) {
  const { connect } = await import('node:net');
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop());
main().catch((error) =>
  stopping.signal.aborted ? undefined : stop(`The demo cannot go on: ${error.message}`),
);
