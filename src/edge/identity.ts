import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-file.ts';

/** The name made up for a box that was given none: the same for the life of its data folder. */
export async function edgeIdentity(dataDir: string): Promise<string> {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, 'edge-id');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const id = `edge-${randomBytes(4).toString('hex')}`;
  await writeFileAtomically(path, `${id}\n`);
  return id;
}
