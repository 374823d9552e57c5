import { randomBytes, randomUUID } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { secretFilePath } from '../config/secrets.ts';
import { ApexError } from '../system/errors.ts';
import { KEY_BYTES } from './seal.ts';

/** Where the key of the gallery is. */
export interface KeyPlace {
  readonly path: string;
  /** A credential of systemd's is not for this program to make. */
  readonly mayBeMade: boolean;
}

/**
 * @param file `people.key_file`: an absolute path or the name of a systemd credential
 * @throws ApexError CONFIG_SECRET_UNREADABLE for a credential outside of systemd
 */
export function keyPlace(
  dataDir: string,
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): KeyPlace {
  if (file === undefined) return { path: join(dataDir, 'keys', 'people.key'), mayBeMade: true };
  return { path: secretFilePath('people.key', file, env), mayBeMade: isAbsolute(file) };
}

/**
 * The key: 32 bytes, or 64 hexadecimal digits. Null where there is none yet.
 * @throws ApexError PEOPLE_KEY_UNREADABLE
 */
export function readKey({ path }: KeyPlace): Buffer | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new ApexError('PEOPLE_KEY_UNREADABLE', `${path} cannot be read (${code})`, { cause });
  }
  if (bytes.length === KEY_BYTES) return bytes;
  const digits = /^([0-9a-f]{64})\r?\n?$/i.exec(bytes.toString('latin1'))?.[1];
  if (digits !== undefined) return Buffer.from(digits, 'hex');
  throw new ApexError('PEOPLE_KEY_UNREADABLE', `${path} does not hold a key of ${KEY_BYTES} bytes`);
}

/**
 * Makes the key, mode 0600, whole or not at all; where another process was faster, that one's is taken.
 * @throws ApexError PEOPLE_KEY_MISSING where it is not ours to make, PEOPLE_KEY_UNREADABLE
 */
export function makeKey(place: KeyPlace): Buffer {
  const { path, mayBeMade } = place;
  if (!mayBeMade)
    throw new ApexError('PEOPLE_KEY_MISSING', `there is no key ${path} among the credentials`);
  const folder = dirname(path);
  const unfinished = `${path}.${randomUUID()}.tmp`;
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeWhole(unfinished, randomBytes(KEY_BYTES));
    if (made === undefined) ownAs(folder, [unfinished]);
    else ownAs(dirname(made), [made, folder, unfinished]);
    linkNew(unfinished, path);
    syncFolder(folder);
  } catch (cause) {
    throw new ApexError('PEOPLE_KEY_UNREADABLE', `the key ${path} cannot be made`, { cause });
  } finally {
    rmSync(unfinished, { force: true });
  }
  const key = readKey(place);
  if (key === null) throw new ApexError('PEOPLE_KEY_MISSING', `${path} was taken away`);
  return key;
}

function writeWhole(path: string, bytes: Buffer): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Unlike a rename, a link never takes the place of a file that is there. */
function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Made by root, it is the daemon's all the same. */
function ownAs(owner: string, paths: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(owner);
  for (const path of paths) chownSync(path, uid, gid);
}
