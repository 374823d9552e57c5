import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ManifestEntry } from '../manifest.ts';

export interface FileDigests {
  size: number;
  sha256: string;
  /** What git calls a file of this content: sha1 of "blob SIZE\0" and the bytes. */
  gitBlobSha1: string;
}

export async function digestFile(path: string): Promise<FileDigests> {
  const { size } = await stat(path);
  const sha256 = createHash('sha256');
  const blob = createHash('sha1').update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path)) {
    sha256.update(chunk as Buffer);
    blob.update(chunk as Buffer);
  }
  return { size, sha256: sha256.digest('hex'), gitBlobSha1: blob.digest('hex') };
}

export function matches(expected: ManifestEntry['digests'], found: FileDigests): boolean {
  return expected.some((digest) =>
    'sha256' in digest
      ? digest.sha256 === found.sha256
      : digest.git_blob_sha1 === found.gitBlobSha1,
  );
}

export function describeDigests(digests: ManifestEntry['digests']): string {
  return digests
    .map((digest) =>
      'sha256' in digest ? `sha256 ${digest.sha256}` : `git blob ${digest.git_blob_sha1}`,
    )
    .join(' or ');
}
