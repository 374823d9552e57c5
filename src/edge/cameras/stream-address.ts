const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'rtsp:': '554', 'rtsps:': '322' };

/**
 * Whether an address given upstream leads to the same place as one of the configuration. Its user name and password
 * are not looked at: an answer that depended on them would be a way to guess the configured ones.
 */
export function isSamePlace(given: string, known: string): boolean {
  const [a, b] = [partsOf(given), partsOf(known)];
  return a !== null && b !== null && a.place === b.place;
}

/** The same of two addresses given upstream; one without user name and password says nothing about them. */
export function isSameAddress(given: string, known: string): boolean {
  const [a, b] = [partsOf(given), partsOf(known)];
  if (a === null || b === null) return false;
  return a.place === b.place && (a.user === '' || a.user === b.user);
}

function partsOf(address: string): { place: string; user: string } | null {
  if (!URL.canParse(address)) return null;
  const { protocol, username, password, hostname, port, pathname, search } = new URL(address);
  const host = `${hostname.toLowerCase()}:${port || DEFAULT_PORTS[protocol]}`;
  const user = `${decoded(username)}:${decoded(password)}`;
  return { place: `${protocol}//${host}${pathname}${search}`, user: user === ':' ? '' : user };
}

/** A stray `%` means that the text was never encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
