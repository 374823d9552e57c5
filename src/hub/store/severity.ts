/**
 * Severity of a message by its stored body; null where it has none. Live events and those from the table are judged
 * by this one function, so that both agree on every body.
 */
export function severityOf(body: string): string | null {
  // Most messages have none, and are not parsed for it.
  if (!body.includes('severity')) return null;
  const data: unknown = JSON.parse(body);
  if (typeof data !== 'object' || data === null) return null;
  const { severity } = data as { severity?: unknown };
  return typeof severity === 'string' ? severity : null;
}
