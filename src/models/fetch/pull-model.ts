import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { syncFolder } from '../../system/atomic-file.ts';
import type { Clock } from '../../system/clock.ts';
import { ApexError } from '../../system/errors.ts';
import type { ManifestEntry } from '../manifest.ts';
import type { PullProgress } from '../progress-line.ts';
import type { Candidate } from './candidates.ts';
import { describeDigests, digestFile, matches } from './digest.ts';
import { download } from './download.ts';
import { tarMember } from './tar-member.ts';

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';
const LONGEST_LFS_POINTER = 1024;

export interface PullOptions {
  clock: Clock;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: PullProgress) => void) | undefined;
}

/** A candidate's file before its digest is known. */
interface Obtained {
  path: string;
  resumed: boolean;
}

class Pull {
  readonly #entry: ManifestEntry;
  readonly #target: string;
  readonly #options: PullOptions;

  constructor(entry: ManifestEntry, target: string, options: PullOptions) {
    this.#entry = entry;
    this.#target = target;
    this.#options = options;
  }

  /** @throws Error with the reason why this candidate does not have the model */
  async from(candidate: Candidate): Promise<void> {
    const obtained = await this.#obtain(candidate);
    if (await this.#accept(obtained)) return;
    // Bytes of an earlier attempt may be the wrong ones; from the beginning, they are the source's own.
    if (obtained.resumed && (await this.#accept(await this.#obtain(candidate)))) return;
    throw new ApexError(
      'MODEL_DIGEST_MISMATCH',
      `the file is not the expected one (${describeDigests(this.#entry.digests)})`,
    );
  }

  async #obtain(candidate: Candidate): Promise<Obtained> {
    if (candidate.kind === 'folder') return await this.#copy(candidate.path);
    if (candidate.kind === 'tarball') return await this.#unpack(candidate.url, candidate.member);
    const obtained = await this.#download(candidate.url);
    if (candidate.lfsUrl === null || !(await isLfsPointer(obtained.path))) return obtained;
    await rm(obtained.path);
    return await this.#download(candidate.lfsUrl);
  }

  /** Named by its origin, so that what is left of one source is never continued from another. */
  #part(origin: string): string {
    const key = createHash('sha256').update(origin).digest('hex').slice(0, 8);
    return join(dirname(this.#target), `.${this.#entry.file}.${key}.part`);
  }

  async #copy(from: string): Promise<Obtained> {
    const path = this.#part(from);
    await copyFile(from, path);
    const { size } = await stat(path);
    this.#report(size, size, 0);
    return { path, resumed: false };
  }

  async #download(url: string): Promise<Obtained> {
    const path = this.#part(url);
    const { clock, signal } = this.#options;
    const onProgress = this.#report.bind(this);
    return { path, ...(await download(url, path, { clock, signal, onProgress })) };
  }

  async #unpack(url: string, member: string): Promise<Obtained> {
    const tarball = await this.#download(url);
    const path = `${tarball.path}.unpacked`;
    try {
      await pipeline(
        createReadStream(tarball.path),
        createGunzip(),
        (archive: AsyncIterable<Buffer>) => tarMember(archive, member),
        createWriteStream(path),
        { signal: this.#options.signal },
      );
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      // A damaged tarball must not be continued, and a good one has served.
      await rm(tarball.path, { force: true });
    }
    return { path, resumed: tarball.resumed };
  }

  async #accept({ path }: Obtained): Promise<boolean> {
    if (!matches(this.#entry.digests, await digestFile(path))) {
      await rm(path, { force: true });
      return false;
    }
    await syncFile(path);
    await rename(path, this.#target);
    await syncFolder(dirname(this.#target));
    return true;
  }

  #report(received: number, total: number | null, bytesPerSecond: number): void {
    this.#options.onProgress?.({ name: this.#entry.name, received, total, bytesPerSecond });
  }
}

async function isLfsPointer(path: string): Promise<boolean> {
  if ((await stat(path)).size > LONGEST_LFS_POINTER) return false;
  return (await readFile(path, 'utf8')).startsWith(LFS_POINTER);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

interface Failure {
  shown: string;
  error: unknown;
}

function failureOf(entry: ManifestEntry, failures: readonly Failure[]): ApexError {
  const reasons = failures.map(
    ({ shown, error }) => `${shown}: ${error instanceof Error ? error.message : String(error)}`,
  );
  const isMismatch = failures.every(
    ({ error }) => error instanceof ApexError && error.code === 'MODEL_DIGEST_MISMATCH',
  );
  return new ApexError(
    isMismatch && failures.length > 0 ? 'MODEL_DIGEST_MISMATCH' : 'MODEL_UNAVAILABLE',
    `${entry.name} could not be fetched from any source\n${reasons.map((line) => `  ${line}`).join('\n')}`,
    { details: { sources: reasons } },
  );
}

/**
 * Fetches a model's file from the first source that has it. The file appears under its name only when it is
 * whole and its digest is right.
 *
 * @param target absolute path; its folder exists
 * @param candidates asked one by one, the next only when one has failed
 * @returns the source, as shown to people
 * @throws ApexError MODEL_UNAVAILABLE with every source's reason, MODEL_DIGEST_MISMATCH when all sources had
 *   another file; the signal's reason when aborted
 */
export async function pullModel(
  entry: ManifestEntry,
  target: string,
  candidates: AsyncIterable<Candidate>,
  options: PullOptions,
): Promise<string> {
  const pull = new Pull(entry, target, options);
  const failures: Failure[] = [];
  for await (const candidate of candidates) {
    try {
      await pull.from(candidate);
      return candidate.shown;
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.push({ shown: candidate.shown, error });
    }
  }
  throw failureOf(entry, failures);
}
