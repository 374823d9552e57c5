import { createHash, randomBytes } from 'node:crypto';

const REALM = 'camera';

/** @typedef {{user: string, password: string, digest?: boolean}} Credentials */

/** @param {string} text */
function md5(text) {
  return createHash('md5').update(text).digest('hex');
}

/**
 * @param {Credentials} credentials
 * @returns {string} Value of WWW-Authenticate.
 */
export function challenge(credentials) {
  if (!credentials.digest) return `Basic realm="${REALM}"`;
  return `Digest realm="${REALM}", nonce="${randomBytes(8).toString('hex')}"`;
}

/**
 * Basic and Digest without qop (RFC 2069), as most cameras have it.
 * @param {Credentials} credentials
 * @param {string} method
 * @param {string} header Value of Authorization.
 */
export function isAuthorized({ user, password, digest }, method, header) {
  if (!digest) return header === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (!/^Digest /i.test(header)) return false;
  const field = (name) => new RegExp(`\\b${name}="?([^",]+)`).exec(header)?.[1];
  const ha1 = md5(`${user}:${REALM}:${password}`);
  const ha2 = md5(`${method}:${field('uri')}`);
  return field('username') === user && field('response') === md5(`${ha1}:${field('nonce')}:${ha2}`);
}
