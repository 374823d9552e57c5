import { z } from 'zod';

/**
 * Pieces that several sections of the schema share. The message of a pattern or check says what is allowed:
 * the reader of the file is told what was found anyway.
 */

export const absolutePath = z.string().regex(/^\/[^\0\r\n]*$/, 'an absolute path, starting with /');

/** `/a/path` as it is; a bare name is looked up in `$CREDENTIALS_DIRECTORY`. */
export const fileOfSecret = z
  .string()
  .regex(
    /^(?:\/[^\0\r\n]+|(?!\.{1,2}$)[^/\0\r\n]+)$/,
    'an absolute path, or the bare name of a systemd credential',
  );

/** A token, or where it stands. */
export const tokenSource = {
  token: z.string().min(1).optional().meta({
    title: 'Token',
    description: 'The token itself. `token_file` is safer.',
  }),
  token_file: fileOfSecret.optional().meta({
    title: 'File of the token',
    description:
      'File with the token: an absolute path, or the name of a systemd credential of the unit.',
  }),
};

/**
 * A secret comes from one place.
 * @param sources the keys that may give it, and their values
 */
export function oneSecretOnly(
  sources: Readonly<Record<string, unknown>>,
  report: (key: string, allowed: string) => void,
): void {
  const given = Object.keys(sources).filter((key) => sources[key] !== undefined);
  const last = given.at(-1);
  if (given.length > 1 && last !== undefined)
    report(last, `only one of ${listed(Object.keys(sources))}`);
}

export function listed(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join(', ');
}
