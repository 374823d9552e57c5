import type { ClientType } from '../../protocol/session.ts';

/**
 * What two connections of one client have in common: the newer of them takes over.
 *
 * The type is part of it: a viewer cannot push an edge out by calling itself the same. An edge is known by its id, for
 * the hub has it belong to a token. The ids of viewers belong to nobody, so they count within one token only.
 */
export function clientKey(clientType: ClientType, clientId: string, tokenName: string): string {
  const name = clientType === 'ai_engine' ? clientId : JSON.stringify([tokenName, clientId]);
  return `${clientType}/${name}`;
}
