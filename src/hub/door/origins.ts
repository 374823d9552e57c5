/**
 * Whether a page may talk to the hub. Browsers name the page's origin and let no page leave it out; a client without
 * one is no browser, and its token alone decides. The hub's own pages may.
 * @param host the request's `Host`
 * @param allowed origins such as `https://console.example.org`
 */
export function mayComeFrom(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  // `null`, of a page in a sandbox or a file, is nobody's.
  if (host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}
