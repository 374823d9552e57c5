import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ERROR_CATALOGUE } from '../../../src/system/error-catalogue.ts';

test('docs/errors.md is what the catalogue says', () => {
  const script = fileURLToPath(new URL('../../../scripts/error-reference.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr, 'npm run docs writes it anew').toBe('');
  expect(status).toBe(0);
});

test.each(Object.entries(ERROR_CATALOGUE))('%s is told in whole sentences', (code, entry) => {
  expect(code).toMatch(/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/);
  expect(entry.summary).toMatch(/^\S.*\.$/);
  expect(entry.remedy).toMatch(/^\S.*\.$/);
});
