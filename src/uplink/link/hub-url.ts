import { ApexError } from '../../system/errors.ts';

export interface HubUrl {
  readonly href: string;
  /** For logs: without a query, which might hold a secret. */
  readonly shown: string;
  /** The token would cross a network in clear. */
  readonly isExposed: boolean;
}

/** Checks the hub's address. @throws ApexError UPLINK_URL */
export function parseHubUrl(text: string): HubUrl {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new ApexError('UPLINK_URL', 'the address of the hub is not a URL', { cause: error });
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new ApexError('UPLINK_URL', `the address of the hub begins with ${url.protocol}//`);
  if (url.username !== '' || url.password !== '')
    throw new ApexError('UPLINK_URL', 'the address of the hub has a user name or password in it');
  if (url.hash !== '') throw new ApexError('UPLINK_URL', 'the address of the hub has a # in it');
  const shown = `${url.protocol}//${url.host}${url.pathname}`;
  return { href: url.href, shown, isExposed: url.protocol === 'ws:' && !isLoopback(url.hostname) };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
