import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { CLIENT_FRAMES, SERVER_FRAMES } from '../../../src/protocol/frames.ts';
import { PAYLOADS } from '../../../src/protocol/payloads.ts';
import { MESSAGE_TYPES } from '../../../src/react/messages.ts';

/** Messages between the server and an edge alone. */
const NOT_A_VIEWERS = new Set([
  'send_evidence',
  'send_evidence_error',
  'message_batch',
  'batch_ack',
  'flow_update',
  'resync_required',
  'start_stream_processing',
  'stop_stream_processing',
  'change_stream_processing',
  'cameras_changed',
  'person_forgotten',
]);

test('MESSAGE_TYPES names every message of a viewer', () => {
  const all = [CLIENT_FRAMES, SERVER_FRAMES, PAYLOADS].flatMap((types) => Object.keys(types));
  const viewers = new Set(all.filter((type) => !NOT_A_VIEWERS.has(type)));
  expect(new Set<string>(Object.values(MESSAGE_TYPES))).toEqual(viewers);
});

test('the bundle has no schemas in it and stays small', async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: "export * from 'apex-edge/react'", resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['react'],
    metafile: true,
    write: false,
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(inputs).toContain('dist/react/client.js');
  expect(outputFiles[0]!.contents.length).toBeLessThan(24_000);
});

test('the example in docs/react.md is the component that the browser test renders', () => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  expect(read('docs/react.md')).toContain(read('test/browser/page/camera-alerts.tsx'));
});
