import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { PACKAGE_ROOT } from '../system/package-info.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.onnx$/);
/** A path inside a repository or package, with nothing that leads out of it. */
const innerPath = z.string().regex(/^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]*$/);

const digestSchema = z.union([
  z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ git_blob_sha1: z.string().regex(/^[0-9a-f]{40}$/) }),
]);

const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('github'),
    repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
    commit: z.string().regex(/^[0-9a-f]{40}$/),
    path: innerPath,
  }),
  z.strictObject({
    kind: z.literal('npm'),
    package: z.string().regex(/^(@[a-z0-9._-]+\/)?[a-z0-9._-]+$/),
    version: z.string().regex(/^\d+\.\d+\.\d+[\w.+-]*$/),
    path: innerPath,
  }),
]);

const entrySchema = z.strictObject({
  name,
  title: z.string(),
  kind: z.enum(['object-detector', 'face-detector', 'face-embedding', 'face-landmarks']),
  licence: z.string(),
  /** Shown when the model is pulled. */
  notice: z.string().optional(),
  file: fileName,
  size: z.number().int().positive(),
  digests: z.array(digestSchema).min(1),
  sources: z.array(sourceSchema),
});

const manifestSchema = z
  .strictObject({ models: z.array(entrySchema) })
  .refine(({ models }) => new Set(models.map((model) => model.name)).size === models.length, {
    message: 'two models have the same name',
  });

export type ManifestEntry = z.infer<typeof entrySchema>;
export type ModelSource = z.infer<typeof sourceSchema>;
export type ModelKind = ManifestEntry['kind'];

/** @throws when the manifest is not a manifest: a fault of the package */
export function parseManifest(text: string): ManifestEntry[] {
  return manifestSchema.parse(parse(text)).models;
}

/** The models that this package knows how to fetch. */
export function packagedManifest(): ManifestEntry[] {
  return parseManifest(readFileSync(join(PACKAGE_ROOT, 'models/manifest.yaml'), 'utf8'));
}
