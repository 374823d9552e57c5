import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Candidate, candidatesOf } from '../../../src/models/fetch/candidates.ts';
import { packagedManifest } from '../../../src/models/manifest.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'npm-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function candidates(name: string, env: NodeJS.ProcessEnv): Promise<Candidate[]> {
  const entry = packagedManifest().find((candidate) => candidate.name === name)!;
  const found: Candidate[] = [];
  for await (const candidate of candidatesOf(entry, env)) found.push(candidate);
  return found;
}

/** An `npm` command that answers with a text, and a PATH that holds nothing else. */
function npmThatSays(answer: string): NodeJS.ProcessEnv {
  const path = join(folder, 'npm');
  writeFileSync(path, `#!/bin/sh\necho '${answer}'\n`);
  chmodSync(path, 0o755);
  return { PATH: folder };
}

test('a mirror comes first, as a folder or an address', async () => {
  expect((await candidates('yolov8n', { APEX_MODELS_MIRROR: '/srv/weights' }))[0]).toEqual({
    kind: 'folder',
    shown: '/srv/weights/yolov8n.onnx',
    path: '/srv/weights/yolov8n.onnx',
  });
  const [http] = await candidates('yolov8n', {
    APEX_MODELS_MIRROR: 'https://anna:secret@host/weights',
  });
  expect(http).toMatchObject({
    kind: 'http',
    url: 'https://anna:secret@host/weights/yolov8n.onnx',
  });
  expect(http?.shown).toBe('https://***@host/weights/yolov8n.onnx');
});

test('a file on GitHub is asked for at its commit, and at the media host when it is a pointer', async () => {
  const inner =
    'Hyuto/yolov8-onnxruntime-web/fc4a52c466d15ad4519873a0cef22fbc935b93b6/public/model/yolov8n.onnx';
  expect(await candidates('yolov8n', {})).toEqual([
    {
      kind: 'http',
      shown: `https://raw.githubusercontent.com/${inner}`,
      url: `https://raw.githubusercontent.com/${inner}`,
      lfsUrl: `https://media.githubusercontent.com/media/${inner}`,
    },
  ]);
});

test.each([
  [
    'the environment',
    () => ({ npm_config_registry: 'http://127.0.0.1:1/npm' }),
    'http://127.0.0.1:1/npm/',
  ],
  ['npm itself', () => npmThatSays('http://127.0.0.1:2/'), 'http://127.0.0.1:2/'],
  ['nobody, when npm does not know', () => npmThatSays('undefined'), 'https://registry.npmjs.org/'],
  ['nobody, when there is no npm', () => ({ PATH: '/nowhere' }), 'https://registry.npmjs.org/'],
])('a package comes from the registry that %s names', async (_, env, registry) => {
  const name = 'faceplugin-face-recognition-js';
  expect(await candidates('face-embedding', env())).toEqual([
    {
      kind: 'tarball',
      shown: `npm package ${name}@0.0.1`,
      url: `${registry}${name}/-/${name}-0.0.1.tgz`,
      member: 'package/model/fr_feature.onnx',
    },
  ]);
});
