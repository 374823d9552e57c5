import type { HubToken } from '../../hub/door/tokens.ts';
import { isAtLeast, type Role } from '../../protocol/local-api/route.ts';
import { isInScope, type Scopes } from '../../protocol/scopes.ts';

/** Who asks: the owner of a token of this box. */
export interface Visitor {
  /** Of the token. */
  readonly name: string;
  readonly role: Role;
  /** Null for all. */
  readonly cameras: readonly string[] | null;
  readonly token: HubToken;
  /** Null where the token itself was shown. */
  readonly sessionId: string | null;
  /** Where the request comes from. */
  readonly address: string;
}

/**
 * What a token may do at `/ws`; its role is kept in nothing else.
 * @param cameras null for all
 */
export function scopesOf(role: Role, cameras: readonly string[] | null): Scopes {
  return {
    cameras: [...(cameras ?? ['*'])],
    send: isAtLeast(role, 'operator') ? ['*'] : [],
    receive: ['*'],
    admin: role === 'admin',
  };
}

export function roleOf({ scopes }: Pick<HubToken, 'scopes'>): Role {
  if (scopes.admin) return 'admin';
  return scopes.send.includes('*') ? 'operator' : 'viewer';
}

/** Null for all. */
export function camerasOf({ scopes }: Pick<HubToken, 'scopes'>): readonly string[] | null {
  return scopes.cameras.includes('*') ? null : scopes.cameras;
}

export function visitorOf(
  token: HubToken,
  { sessionId, address }: Pick<Visitor, 'sessionId' | 'address'>,
): Visitor {
  const { name } = token;
  return { name, role: roleOf(token), cameras: camerasOf(token), token, sessionId, address };
}

/** Whether a camera is one that the visitor may see. */
export function maySee({ token }: Pick<Visitor, 'token'>, cameraId: string): boolean {
  return isInScope(token.scopes.cameras, cameraId);
}
