import { createContext, useContext } from 'react';
import type { Profile } from '../../protocol/local-api/access.ts';
import type { Role } from '../../protocol/local-api/route.ts';

const SessionContext = createContext<Profile | null>(null);
export const SessionProvider = SessionContext.Provider;

const ORDER: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Who is logged in. */
export function useProfile(): Profile {
  const profile = useContext(SessionContext);
  if (profile === null) throw new Error('outside of a session');
  return profile;
}

/** What the visitor may not do is not offered. */
export function useMay(needed: Role): boolean {
  return ORDER.indexOf(useProfile().role) >= ORDER.indexOf(needed);
}
