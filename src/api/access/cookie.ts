/** The cookie of a session (RFC 6265). No script reads it, and no other page has it sent. */

const NAME = 'apex_session';
/** Browsers take a cookie of such a name only from this host, over TLS, for all of it. */
const SECURE_NAME = `__Host-${NAME}`;

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** @param isSecure the page came over TLS */
export function sessionCookie(secret: string, isSecure: boolean): string {
  return `${nameOf(isSecure)}=${secret}; ${attributes(isSecure)}`;
}

/** Has the browser forget it. */
export function endedCookie(isSecure: boolean): string {
  return `${nameOf(isSecure)}=; Max-Age=0; ${attributes(isSecure)}`;
}

/** The secret in a request's `Cookie`; null where there is none. */
export function secretOf(header: string | undefined, isSecure: boolean): string | null {
  const name = nameOf(isSecure);
  for (const part of (header ?? '').split(';')) {
    const [key = '', value = ''] = part.trim().split('=', 2);
    if (key === name && SECRET.test(value)) return value;
  }
  return null;
}

function nameOf(isSecure: boolean): string {
  return isSecure ? SECURE_NAME : NAME;
}

function attributes(isSecure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}
