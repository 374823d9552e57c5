/**
 * Every error code of the project. A code is stable: it is searched for, filtered on and written down.
 * docs/errors.md is made from this list, and a test holds the two together.
 */
export const ERROR_CATALOGUE = {
  INTERNAL: {
    summary: 'A fault of apex-edge itself.',
    remedy: 'Report it with the log around this line; the program restarts the part concerned.',
  },
} as const satisfies Record<string, { summary: string; remedy: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
