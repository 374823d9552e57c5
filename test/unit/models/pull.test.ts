import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Candidate } from '../../../src/models/fetch/candidates.ts';
import { pullModel } from '../../../src/models/fetch/pull-model.ts';
import type { ManifestEntry } from '../../../src/models/manifest.ts';
import { ModelStore } from '../../../src/models/model-store.ts';
import type { PullProgress } from '../../../src/models/progress-line.ts';
import { type Clock, systemClock } from '../../../src/system/clock.ts';
import { tarArchive } from '../../support/tar-archive.ts';
import { WeightsServer } from '../../support/weights-server.ts';

const weights = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const HALF = weights.length / 2;
const other = Buffer.from(weights).fill(1, 0, 10);

const entry: ManifestEntry = {
  name: 'tiny',
  title: 'Tiny',
  kind: 'object-detector',
  licence: 'AGPL-3.0',
  notice: 'Mind the licence.',
  file: 'tiny.onnx',
  size: weights.length,
  digests: [
    { sha256: '0'.repeat(64) },
    {
      git_blob_sha1: createHash('sha1')
        .update(`blob ${weights.length}\0`)
        .update(weights)
        .digest('hex'),
    },
  ],
  sources: [{ kind: 'npm', package: '@scope/faces', version: '1.2.3', path: 'model/tiny.onnx' }],
};
const TARBALL = '/@scope/faces/-/faces-1.2.3.tgz';

/** Waits a hundredth as long, so that pauses and stalls pass quickly. */
const hasty: Clock = {
  ...systemClock,
  setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / 100),
};

let server: WeightsServer;
let address: string;
let dir: string;

beforeEach(async () => {
  server = new WeightsServer();
  address = await server.start();
  dir = join(mkdtempSync(join(tmpdir(), 'pull-')), 'models');
});
afterEach(async () => {
  await server.stop();
  rmSync(join(dir, '..'), { recursive: true });
});

/** A store whose mirror and registry are the local server. */
function store(env: NodeJS.ProcessEnv = { APEX_MODELS_MIRROR: `${address}/mirror` }): ModelStore {
  const all = { npm_config_registry: address, ...env };
  return new ModelStore({ dir, env: all, manifest: [entry], clock: hasty });
}

/** Pulls, and lets the server know what has arrived, so that it cuts connections at exact places. */
function pull(env?: NodeJS.ProcessEnv): ReturnType<ModelStore['pull']> {
  return store(env).pull('tiny', { onProgress: ({ received }) => server.delivered(received) });
}

function installed(): Buffer {
  return readFileSync(join(dir, 'tiny.onnx'));
}

function leftovers(): string[] {
  return readdirSync(dir).filter((name) => name !== 'tiny.onnx');
}

describe('pull', () => {
  test('fetches from a mirror, shows progress and the licence', async () => {
    server.files.set('/mirror/tiny.onnx', { content: weights });
    const progress: PullProgress[] = [];
    const pulled = await store().pull('tiny', { onProgress: (step) => progress.push(step) });
    expect(pulled).toEqual({
      name: 'tiny',
      path: join(dir, 'tiny.onnx'),
      source: `${address}/mirror/tiny.onnx`,
      licence: 'AGPL-3.0',
      notice: 'Mind the licence.',
    });
    expect(installed().equals(weights)).toBe(true);
    expect(leftovers()).toEqual([]);
    expect(progress.at(-1)).toMatchObject({
      name: 'tiny',
      received: weights.length,
      total: weights.length,
    });
  });

  test('leaves a whole file as it is, and replaces a damaged one', async () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'tiny.onnx'), weights);
    expect((await pull()).source).toBeNull();
    expect(server.requests).toEqual([]);
    writeFileSync(join(dir, 'tiny.onnx'), other);
    server.files.set('/mirror/tiny.onnx', { content: weights });
    await pull();
    expect(installed().equals(weights)).toBe(true);
  });

  test('goes on where the connection was cut', async () => {
    const faults = [
      { after: HALF, fault: 'cut' as const },
      { after: 100, fault: 'cut' as const },
    ];
    server.files.set('/mirror/tiny.onnx', { content: weights, faults });
    await pull();
    expect(installed().equals(weights)).toBe(true);
    expect(server.requests[0]).toBe('/mirror/tiny.onnx -');
    expect(server.requests[1]).toBe(`/mirror/tiny.onnx bytes=${HALF}-`);
    expect(server.requests).toHaveLength(3);
  });

  test('goes on in a later pull, when this one had to give up', async () => {
    const cut = { after: 20_000, fault: 'cut' as const };
    server.files.set('/mirror/tiny.onnx', { content: weights, faults: [cut, cut, cut, cut] });
    await expect(pull()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(existsSync(join(dir, 'tiny.onnx'))).toBe(false);
    await pull();
    expect(installed().equals(weights)).toBe(true);
    expect(server.requests.at(-1)).toBe('/mirror/tiny.onnx bytes=80000-');
    expect(leftovers()).toEqual([]);
  });

  test('tries again when the server falls silent', async () => {
    const faults = [{ after: HALF, fault: 'silence' as const }];
    server.files.set('/mirror/tiny.onnx', { content: weights, faults });
    await pull();
    expect(installed().equals(weights)).toBe(true);
  });

  test('starts over where the server knows no ranges', async () => {
    const faults = [{ after: HALF, fault: 'cut' as const }];
    server.files.set('/mirror/tiny.onnx', { content: weights, ranges: false, faults });
    await pull();
    expect(installed().equals(weights)).toBe(true);
    expect(server.requests).toHaveLength(2);
  });

  test('starts over when what is left of an earlier pull is of another file', async () => {
    const cut = { after: 20_000, fault: 'cut' as const };
    server.files.set('/mirror/tiny.onnx', { content: other, faults: [cut, cut, cut, cut] });
    await expect(pull()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    server.files.set('/mirror/tiny.onnx', { content: weights });
    await pull();
    expect(installed().equals(weights)).toBe(true);
    expect(server.requests.slice(-2)).toEqual([
      '/mirror/tiny.onnx bytes=80000-',
      '/mirror/tiny.onnx -',
    ]);
  });

  test('starts over when more is left than there is', async () => {
    server.files.set('/mirror/tiny.onnx', {
      content: Buffer.concat([weights, weights]),
      faults: [{ after: weights.length + HALF, fault: 'cut' }],
      refusals: [null, 503, 503, 503],
    });
    await expect(pull()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    server.files.set('/mirror/tiny.onnx', { content: weights });
    await pull();
    expect(installed().equals(weights)).toBe(true);
  });

  test('tries a busy server again, and a refusing one not', async () => {
    server.files.set('/mirror/tiny.onnx', { content: weights, refusals: [503, 429] });
    await pull();
    expect(server.requests).toHaveLength(3);
    rmSync(dir, { recursive: true });
    server.requests.length = 0;
    server.files.set('/mirror/tiny.onnx', { content: weights, refusals: [403] });
    await expect(pull()).rejects.toThrow('403');
    expect(server.requests).toEqual(['/mirror/tiny.onnx -', `${TARBALL} -`]);
  });

  test('takes the next source when the digest is wrong', async () => {
    server.files.set('/mirror/tiny.onnx', { content: other });
    const archive = tarArchive({ 'package/a': other, 'package/model/tiny.onnx': weights });
    server.files.set(TARBALL, { content: gzipSync(archive) });
    const pulled = await pull();
    expect(pulled.source).toBe('npm package @scope/faces@1.2.3');
    expect(installed().equals(weights)).toBe(true);
    expect(leftovers()).toEqual([]);
  });

  test('goes on with a tarball, and starts a damaged one over', async () => {
    const good = gzipSync(tarArchive({ 'package/model/tiny.onnx': weights }));
    const after = Math.floor(good.length / 2);
    server.files.set(TARBALL, { content: good, faults: [{ after, fault: 'cut' as const }] });
    await pull({});
    expect(server.requests).toEqual([`${TARBALL} -`, `${TARBALL} bytes=${after}-`]);
    expect(installed().equals(weights)).toBe(true);
    rmSync(dir, { recursive: true });
    server.files.set(TARBALL, { content: Buffer.from(good).fill(0, 100, 200) });
    await expect(pull({})).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(leftovers()).toEqual([]);
  });

  test('says of every source why it failed', async () => {
    server.files.set('/mirror/tiny.onnx', { content: other });
    const error = await store()
      .pull('tiny')
      .catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect((error as Error).message).toContain(
      '/mirror/tiny.onnx: the file is not the expected one',
    );
    expect((error as Error).message).toContain(
      'npm package @scope/faces@1.2.3: the server answered 404',
    );
  });

  test('names the digest as the reason when all sources have another file', async () => {
    server.files.set('/mirror/tiny.onnx', { content: other });
    server.files.set(TARBALL, {
      content: gzipSync(tarArchive({ 'package/model/tiny.onnx': other })),
    });
    await expect(pull()).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
    expect(existsSync(join(dir, 'tiny.onnx'))).toBe(false);
  });

  test('copies from a folder', async () => {
    const mirror = join(dir, '../mirror');
    mkdirSync(mirror);
    writeFileSync(join(mirror, 'tiny.onnx'), weights);
    const pulled = await store({ APEX_MODELS_MIRROR: mirror }).pull('tiny');
    expect(pulled.source).toBe(join(mirror, 'tiny.onnx'));
    expect(installed().equals(weights)).toBe(true);
  });

  test('sends the password of a mirror, and shows it nowhere', async () => {
    const mirror = `${address.replace('//', '//anna:s%40cret@')}/mirror`;
    const error = await store({ APEX_MODELS_MIRROR: mirror })
      .pull('tiny')
      .catch((reason: unknown) => reason);
    expect(server.authorizations[0]).toBe(`Basic ${Buffer.from('anna:s@cret').toString('base64')}`);
    expect(String(error)).not.toMatch(/s(%40|@)cret/);
  });

  test('follows a Git LFS pointer to the file', async () => {
    server.files.set('/raw', {
      content: Buffer.from('version https://git-lfs.github.com/spec/v1\noid x\n'),
    });
    server.files.set('/media', { content: weights });
    async function* candidates(): AsyncGenerator<Candidate> {
      yield { kind: 'http', shown: 'raw', url: `${address}/raw`, lfsUrl: `${address}/media` };
    }
    mkdirSync(dir, { recursive: true });
    await pullModel(entry, join(dir, 'tiny.onnx'), candidates(), { clock: hasty });
    expect(installed().equals(weights)).toBe(true);
    expect(leftovers()).toEqual([]);
  });

  test('stops when asked, and keeps what has arrived', async () => {
    const stop = new AbortController();
    server.files.set('/mirror/tiny.onnx', {
      content: weights,
      faults: [{ after: HALF, fault: 'silence' as const }],
    });
    const stopped = store().pull('tiny', { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(leftovers()).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
  });

  test('knows only the models of the manifest', async () => {
    await expect(store().pull('other')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  test('says that the folder is the trouble when it is', async () => {
    writeFileSync(dir, 'a file, not a folder');
    await expect(pull()).rejects.toMatchObject({ code: 'MODEL_DIR_NOT_WRITABLE' });
    rmSync(dir);
  });
});

describe('the store', () => {
  test('lists, resolves and verifies what is there', async () => {
    expect(store().list()).toMatchObject([{ name: 'tiny', installed: false, origin: 'manifest' }]);
    expect(() => store().resolve('tiny')).toThrow(
      expect.objectContaining({
        code: 'MODEL_NOT_INSTALLED',
        remedy: 'Fetch it with `apex-edge models pull tiny`.',
      }),
    );
    expect(await store().verify()).toEqual([]);
    expect(await store().verify('tiny')).toMatchObject([{ state: 'missing' }]);
    mkdirSync(dir, { recursive: true });
    const path = join(dir, 'tiny.onnx');
    writeFileSync(path, weights);
    expect(store().resolve('tiny')).toBe(path);
    expect(store().resolve(path)).toBe(path);
    expect(await store().verify()).toEqual([{ name: 'tiny', path, state: 'ok' }]);
    writeFileSync(path, other);
    expect(await store().verify('tiny')).toMatchObject([{ state: 'damaged' }]);
    await expect(store().verify('other')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  test('resolves the test detector to itself, and refuses what is not there', () => {
    expect(store().resolve('test-detector')).toBe('test-detector');
    expect(() => store().resolve('other')).toThrow(
      expect.objectContaining({ code: 'MODEL_UNKNOWN' }),
    );
    expect(() => store().resolve('./other.onnx')).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_INSTALLED' }),
    );
  });

  test('says when its list of imported models is damaged', () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'index.json'), '{');
    expect(() => store().list()).toThrow(expect.objectContaining({ code: 'MODEL_INDEX_DAMAGED' }));
  });
});
