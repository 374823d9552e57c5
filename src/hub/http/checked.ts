import type { z } from 'zod';
import { HttpProblem } from './problem.ts';

/** What a request gives, read by a schema. @throws HttpProblem invalid_request */
export function checked<Schema extends z.ZodType>(schema: Schema, given: unknown): z.infer<Schema> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  const detail = `${where === '' ? '' : `${where}: `}${issue?.message ?? 'invalid'}`;
  throw new HttpProblem('invalid_request', { detail });
}
