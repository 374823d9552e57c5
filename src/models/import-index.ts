import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../system/atomic-file.ts';
import { ApexError } from '../system/errors.ts';

const importedSchema = z.strictObject({
  /** Relative to the models folder. */
  file: z.string(),
  sha256: z.string(),
  size: z.number(),
  labels: z.array(z.string()),
  /** When it was imported, ISO 8601. */
  importedAt: z.string(),
});

const indexSchema = z.strictObject({
  version: z.literal(1),
  models: z.record(z.string(), importedSchema),
});

type ImportedModel = z.infer<typeof importedSchema>;
type ImportIndex = Record<string, ImportedModel>;

const FILE = 'index.json';

/**
 * The models that a user imported, by name.
 *
 * @throws ApexError MODEL_INDEX_DAMAGED
 */
export function readImportIndex(dir: string): ImportIndex {
  const path = join(dir, FILE);
  try {
    return indexSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).models;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ApexError('MODEL_INDEX_DAMAGED', `${path} cannot be read`, { cause });
  }
}

export async function writeImportIndex(dir: string, models: ImportIndex): Promise<void> {
  await writeFileAtomically(
    join(dir, FILE),
    `${JSON.stringify({ version: 1, models }, null, 2)}\n`,
  );
}
