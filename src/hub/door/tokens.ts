import { createHash, timingSafeEqual } from 'node:crypto';
import type { Scopes } from '../../protocol/scopes.ts';
import type { ClientType } from '../../protocol/session.ts';

/** A token that the hub admits. The token itself is not kept. */
export interface HubToken {
  readonly name: string;
  /** The only kind of client that may use it. */
  readonly type: ClientType;
  /** SHA-256 of the token's UTF-8 bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly scopes: Scopes;
  /** From then on it admits nobody, Unix milliseconds; absent where it stays good. */
  readonly expiresMs?: number | undefined;
}

export type TokenVerdict =
  | { readonly isAdmitted: true; readonly token: HubToken }
  | { readonly isAdmitted: false; readonly reason: string };

/**
 * Looks a presented token up. Every entry is compared, in constant time, whether or not one matched before;
 * so the time taken tells nothing about any of them. An empty list admits nobody.
 *
 * A plain digest is enough: slow and salted ones make up for passwords that people choose, and a token is 256 random
 * bits, which nobody guesses at any speed. It is also cheap, so that strangers cannot keep the hub busy hashing.
 * @param nowMs Unix milliseconds
 */
export function checkToken(
  tokens: readonly HubToken[],
  presented: string,
  clientType: ClientType | 'any',
  nowMs: number,
): TokenVerdict {
  const digest = createHash('sha256').update(presented).digest();
  const matches = tokens.filter((token) => {
    const expected = Buffer.from(token.sha256, 'hex');
    return expected.length === digest.length && timingSafeEqual(expected, digest);
  });
  if (matches.length === 0) return { isAdmitted: false, reason: 'unknown token' };
  const usable = matches.find(({ type }) => clientType === 'any' || type === clientType);
  if (usable === undefined)
    return { isAdmitted: false, reason: `the token is not for clients of type ${clientType}` };
  if (hasExpired(usable, nowMs)) return { isAdmitted: false, reason: 'the token has expired' };
  return { isAdmitted: true, token: usable };
}

export function hasExpired({ expiresMs }: HubToken, nowMs: number): boolean {
  return expiresMs !== undefined && nowMs >= expiresMs;
}

/**
 * Whether a token may speak as a client that came with `owner` before. A token that was renamed, or replaced under
 * its name, is the owner still. A client whose token is gone from the configuration belongs to nobody.
 */
export function mayClaim(
  owner: { readonly name: string; readonly sha256: string | null },
  token: HubToken,
  tokens: readonly HubToken[],
): boolean {
  const holder =
    tokens.find(({ sha256 }) => sha256 === owner.sha256) ??
    tokens.find(({ name }) => name === owner.name);
  return holder === undefined || holder.sha256 === token.sha256;
}
