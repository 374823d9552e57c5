import { z } from 'zod';
import { redact } from '../system/redact.ts';
import { type Config, configSchema } from './schema.ts';

/**
 * The configuration file as JSON Schema 2020-12, for editors. Rules between keys (`url` or `path`) are not in
 * it; `apex-edge config check` checks those too.
 */
export function configJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(configSchema, { io: 'input' });
}

/** The configuration in use, for showing: without passwords, tokens, their digests and user info in addresses. */
export function redactConfig(config: Config): unknown {
  return redact(config);
}
