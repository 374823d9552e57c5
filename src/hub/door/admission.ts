import type { HubContext } from '../hub-context.ts';
import type { Introduction } from '../session/dialect.ts';
import type { TokenVerdict } from './tokens.ts';

/** Whether a client is let in: its token must be good and, of an edge, its client id must not be another token's. */
export function admissionOf(
  { token, clientType, clientId }: Introduction,
  { tokens, store, clock }: Pick<HubContext, 'tokens' | 'store' | 'clock'>,
): TokenVerdict {
  const verdict = tokens.check(token, clientType, clock.wallMs());
  if (!verdict.isAdmitted || clientType !== 'ai_engine') return verdict;
  const id = clientId ?? verdict.token.name;
  if (store.claimEdge(id, verdict.token, tokens.all)) return verdict;
  return { isAdmitted: false, reason: `the client id ${id} belongs to another token` };
}
