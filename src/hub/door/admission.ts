import type { SessionContext } from '../hub-context.ts';
import type { Introduction } from '../session/dialect.ts';
import type { TokenVerdict } from './tokens.ts';

/**
 * Whether a client is let in: its token must be good, a client certificate must be for the same name, and the client
 * id of an edge must not be another token's.
 * @param certificateName null where the client has shown no certificate
 */
export function admissionOf(
  { token, clientType, clientId }: Introduction,
  certificateName: string | null,
  { tokens, store, clock }: Pick<SessionContext, 'tokens' | 'store' | 'clock'>,
): TokenVerdict {
  const verdict = tokens.check(token, clientType, clock.wallMs());
  if (!verdict.isAdmitted) return verdict;
  if (certificateName !== null && certificateName !== verdict.token.name)
    return { isAdmitted: false, reason: 'the token belongs to another name than the certificate' };
  if (clientType !== 'ai_engine') return verdict;
  const id = clientId ?? verdict.token.name;
  if (store.claimEdge(id, verdict.token, tokens.all)) return verdict;
  return { isAdmitted: false, reason: `the client id ${id} belongs to another token` };
}
