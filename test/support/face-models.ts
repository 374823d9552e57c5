import { fileURLToPath } from 'node:url';
import { ModelStore } from '../../src/models/model-store.ts';

/** Kept from run to run: the packages that hold them are large. */
const dir = fileURLToPath(new URL('../../.cache/face-models', import.meta.url));

/** Path of a model of the manifest, fetched as a user fetches it. */
export async function pulledModel(name: string): Promise<string> {
  const { path } = await new ModelStore({ dir, env: process.env }).pull(name);
  return path;
}
