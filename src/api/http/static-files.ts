import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

/** A built file of the console, as it is sent. */
export interface StaticFile {
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly type: string;
  readonly etag: string;
  /** Its name holds a digest of its content: it never changes. */
  readonly isImmutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Nothing but what this box has itself, and no script or style but those of files. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const IMMUTABLE = /^\/assets\//;

const deflated = promisify(gzip);

/**
 * The built console by address, read into memory once: there are few, and no request touches the disk.
 * @param dir of `vite build`; where it is missing there are none
 */
export async function readStaticFiles(dir: string): Promise<ReadonlyMap<string, StaticFile>> {
  const files = new Map<string, StaticFile>();
  for (const path of await pathsIn(dir)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const body = await readFile(path);
    const address = `/${relative(dir, path)}`;
    files.set(address, {
      body,
      gzip: await deflated(body, { level: constants.Z_BEST_COMPRESSION }),
      type,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      isImmutable: IMMUTABLE.test(address),
    });
  }
  return files;
}

async function pathsIn(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What is sent for an address: its file, or for a page of the console its only document. Null for what is neither. */
export function fileFor(
  files: ReadonlyMap<string, StaticFile>,
  address: string,
): StaticFile | null {
  const [path = '/'] = address.split('?', 1);
  const file = files.get(path);
  if (file !== undefined) return file;
  // Pages have no ending; a file that is missing must not look like a page.
  const isPage = !path.startsWith('/api/') && path !== '/api' && extname(path) === '';
  return isPage ? (files.get('/index.html') ?? null) : null;
}
