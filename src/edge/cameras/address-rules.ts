import { type Host, isHostWithin, parseHost, parseHostPattern } from '../../config/host-pattern.ts';
import type { Config } from '../../config/schema.ts';
import { ApexError } from '../../system/errors.ts';
import { registerSecret, registerUrlSecrets } from '../../system/redact.ts';

export type AddressRule = Config['uplink']['stream_requests']['allow_addresses'][number];

const USUAL_PORTS: Readonly<Record<string, number>> = { rtsp: 554, rtsps: 322 };
const LONGEST = 2048;

/**
 * Scheme, user info, host, port, rest. Readers of addresses disagree about backslashes, spaces, a second `@` and
 * percent signs in hosts, so an address with any of these is no address here.
 */
const ADDRESS =
  /^(rtsps?):\/\/(?:([^@/?#\\[\]]*)@)?([^@/?#\\:[\]%]+|\[[0-9A-Fa-f:.]+\])(?::([1-9]\d{0,4}))?([/?][^@#\\]*)?$/;

interface StreamAddress {
  readonly scheme: string;
  readonly host: Host;
  readonly port: number;
  readonly userInfo: string;
  /** Without user info, path and query. */
  readonly shown: string;
}

/**
 * Whether a camera's address that was given upstream may be opened. Judged is what is written: names are not looked
 * up, and networks hold literal addresses only.
 *
 * @throws ApexError STREAM_ADDRESS_INVALID, STREAM_ADDRESS_FORBIDDEN; neither quotes what could be a secret
 */
export function checkStreamAddress(url: string, rules: readonly AddressRule[]): void {
  const address = parseStreamAddress(url);
  if (address === null) {
    const message =
      'what was given is no address like rtsp://host:554/path that reads one way only';
    throw new ApexError('STREAM_ADDRESS_INVALID', message);
  }
  if (!rules.some((rule) => isAllowed(address, rule)))
    throw new ApexError('STREAM_ADDRESS_FORBIDDEN', `${address.shown} is not allowed on this edge`);
  registerUrlSecrets(url);
  // Without a password the name itself may be the key.
  if (!address.userInfo.includes(':')) registerSecret(address.userInfo);
}

function isAllowed({ scheme, host, port }: StreamAddress, rule: AddressRule): boolean {
  const pattern = parseHostPattern(rule.host);
  if (pattern === null || rule.scheme !== scheme) return false;
  return port === (rule.port ?? USUAL_PORTS[scheme]) && isHostWithin(host, pattern);
}

function parseStreamAddress(url: string): StreamAddress | null {
  if (url.length > LONGEST || !/^[\x21-\x7e]+$/.test(url)) return null;
  const [, scheme = '', userInfo = '', written = '', digits] = ADDRESS.exec(url) ?? [];
  const isBracketed = written.startsWith('[');
  const host = parseHost(isBracketed ? written.slice(1, -1) : written);
  if (host === null || isBracketed !== (host.kind === 'address' && host.length === 128))
    return null;
  const port = digits === undefined ? (USUAL_PORTS[scheme] ?? 0) : Number(digits);
  if (port > 65_535) return null;
  return { scheme, host, port, userInfo, shown: `${scheme}://${written}:${port}` };
}
