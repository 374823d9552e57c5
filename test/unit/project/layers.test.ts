import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../../src', import.meta.url));

/** A room may import rooms of its own or a lower number. Lower = further down. */
const LAYERS: Readonly<Record<string, number>> = {
  cli: 5,
  console: 5,
  edge: 4,
  api: 3,
  hub: 3,
  live: 3,
  events: 3,
  evidence: 3,
  uplink: 3,
  vision: 2.5,
  react: 2,
  people: 2,
  store: 2,
  journal: 2,
  tracking: 2,
  models: 2,
  faces: 2,
  capture: 2,
  config: 1,
  protocol: 1,
  system: 1,
};

/** Rooms that are pure: what they may import of the project. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  protocol: ['protocol'],
  tracking: ['tracking', 'protocol'],
  react: ['react', 'protocol'],
  console: ['console', 'react', 'protocol'],
};

/** Packages that pure rooms may use; of zod, the hook takes types alone (react-package.test.ts). */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  protocol: ['zod'],
  react: ['react', 'zod'],
  console: [
    ...['react', 'react-dom/client', 'wouter', '@tanstack/react-query'],
    ...['uplot', 'uplot/dist/uPlot.min.css'],
  ],
};

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
  .map((name) => join(src, name));

function room(path: string): string {
  return relative(src, path).split('/')[0] ?? '';
}

describe('layers', () => {
  test('every room has a place in the list of layers', () => {
    expect(files.map(room).filter((name) => !(name in LAYERS))).toEqual([]);
  });

  test('imports point down the list of layers, never up', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolve(dirname(file), specifier))
        .filter((target) => target.startsWith(src))
        .filter((target) => (LAYERS[room(target)] ?? 99) > (LAYERS[room(file)] ?? 0))
        .map((target) => `${relative(src, file)} imports ${relative(src, target)}`),
    );
    expect(wrong).toEqual([]);
  });

  test('pure rooms import nothing else of the project and nothing of Node', () => {
    const wrong = files
      .filter((file) => room(file) in PURE)
      .flatMap((file) =>
        importsOf(file)
          .filter((specifier) =>
            specifier.startsWith('.')
              ? !PURE[room(file)]?.includes(room(resolve(dirname(file), specifier)))
              : !PACKAGES[room(file)]?.includes(specifier),
          )
          .map((specifier) => `${relative(src, file)} imports ${specifier}`),
      );
    expect(wrong).toEqual([]);
  });
});
