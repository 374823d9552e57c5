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
}

export type TokenVerdict =
  | { readonly isAdmitted: true; readonly token: HubToken }
  | { readonly isAdmitted: false; readonly reason: string };

/**
 * Looks a presented token up. Every entry is compared, in constant time, whether or not one matched before;
 * so the time taken tells nothing about any of them. An empty list admits nobody.
 */
export function checkToken(
  tokens: readonly HubToken[],
  presented: string,
  clientType: ClientType,
): TokenVerdict {
  const digest = createHash('sha256').update(presented).digest();
  const matches = tokens.filter((token) => {
    const expected = Buffer.from(token.sha256, 'hex');
    return expected.length === digest.length && timingSafeEqual(expected, digest);
  });
  const usable = matches.find((token) => token.type === clientType);
  if (usable !== undefined) return { isAdmitted: true, token: usable };
  const reason =
    matches.length === 0 ? 'unknown token' : `the token is not for clients of type ${clientType}`;
  return { isAdmitted: false, reason };
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
