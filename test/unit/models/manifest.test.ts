import { expect, test } from 'vitest';
import { packagedManifest, parseManifest } from '../../../src/models/manifest.ts';

test('the packaged manifest names what the program needs, each with a digest and a public source', () => {
  const entries = packagedManifest();
  expect(entries.map((entry) => entry.name)).toEqual(
    expect.arrayContaining(['yolov8n', 'yunet', 'face-embedding']),
  );
  for (const entry of entries) {
    expect(entry.sources.length, entry.name).toBeGreaterThan(0);
    expect(entry.licence, entry.name).toMatch(/^(MIT|AGPL-3\.0)$/);
  }
  expect(entries.find((entry) => entry.name === 'yolov8n')?.notice).toContain('Affero');
});

const entry = `
  - name: a
    title: A
    kind: object-detector
    licence: MIT
    file: a.onnx
    size: 1
    digests: [{ sha256: ${'0'.repeat(64)} }]
    sources: []
`;

test.each([
  ['an entry twice', `models:${entry}${entry}`],
  ['an unknown key', `models:${entry}    mirror: x`],
  ['a file that leads out of the folder', `models:${entry.replace('a.onnx', '../a.onnx')}`],
  ['no digest', `models:${entry.replace(/\[\{.*\}\]/, '[]')}`],
])('a manifest with %s is refused', (_, text) => {
  expect(() => parseManifest(text)).toThrow();
});
