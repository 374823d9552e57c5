import type { SessionContext } from '../hub-context.ts';

/**
 * Ends the sessions of tokens that were revoked or have expired, and notes that the others are in use. To be called
 * every now and then: a token may go at any time.
 */
export function enforceTokens({
  directory,
  registry,
  tokens,
  clock,
}: Pick<SessionContext, 'directory' | 'registry' | 'tokens' | 'clock'>): void {
  const nowMs = clock.wallMs();
  for (const token of directory.tokensInUse()) {
    const fault = tokens.faultOf(token, nowMs);
    if (fault === null) tokens.noteUse(token, nowMs);
    // Those of other processes are ended there.
    else for (const id of directory.idsOfToken(token)) registry.find(id)?.expel(token.name, fault);
  }
}
