import { isIPv4, isIPv6 } from 'node:net';

/** A host as it is written in an address; nothing is looked up. */
export type Host =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'address'; readonly bits: bigint; readonly length: 32 | 128 };

export type HostPattern =
  | Host
  /** `*.suffix`: every name below, not the suffix itself. */
  | { readonly kind: 'suffix'; readonly suffix: string }
  /** Addresses that share their first `prefix` bits (CIDR, RFC 4632). */
  | {
      readonly kind: 'network';
      readonly bits: bigint;
      readonly length: 32 | 128;
      readonly prefix: number;
    };

const NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** Resolvers read `2130706433`, `0x7f.1` and `127.1` as addresses (POSIX, inet_addr). */
const NUMBER_LIKE = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** Reads a name or a literal address, IPv6 without its brackets. Null for what could be read in two ways. */
export function parseHost(text: string): Host | null {
  if (isIPv4(text)) return { kind: 'address', bits: bitsOfV4(text), length: 32 };
  if (text.includes(':')) {
    if (!isIPv6(text) || text.includes('%')) return null;
    return { kind: 'address', bits: bitsOfV6(text), length: 128 };
  }
  const name = text.toLowerCase();
  return NAME.test(name) && !NUMBER_LIKE.test(name) ? { kind: 'name', name } : null;
}

/** Reads a name, an address, a network in CIDR notation or `*.suffix`. */
export function parseHostPattern(text: string): HostPattern | null {
  if (text.startsWith('*.')) {
    const suffix = parseHost(text.slice(2));
    return suffix?.kind === 'name' ? { kind: 'suffix', suffix: suffix.name } : null;
  }
  const slash = text.indexOf('/');
  if (slash < 0) return parseHost(text);
  const base = parseHost(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (base?.kind !== 'address' || !/^\d{1,3}$/.test(digits)) return null;
  const prefix = Number(digits);
  return prefix > base.length ? null : { ...base, kind: 'network', prefix };
}

/** An IPv6 address that stands for an IPv4 one is within IPv6 networks only. */
export function isHostWithin(host: Host, pattern: HostPattern): boolean {
  switch (pattern.kind) {
    case 'name':
      return host.kind === 'name' && host.name === pattern.name;
    case 'suffix':
      return host.kind === 'name' && host.name.endsWith(`.${pattern.suffix}`);
    case 'address':
      return host.kind === 'address' && isWithin(host, { ...pattern, prefix: pattern.length });
    case 'network':
      return host.kind === 'address' && isWithin(host, pattern);
  }
}

function isWithin(
  { bits, length }: { readonly bits: bigint; readonly length: number },
  network: { readonly bits: bigint; readonly length: number; readonly prefix: number },
): boolean {
  const rest = BigInt(network.length - network.prefix);
  return length === network.length && bits >> rest === network.bits >> rest;
}

function bitsOfV4(text: string): bigint {
  return text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

/** @param text a valid address (RFC 4291, section 2.2) */
function bitsOfV6(text: string): bigint {
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (tail.includes('.')) {
    const v4 = bitsOfV4(tail);
    const groups = [v4 >> 16n, v4 & 0xffffn].map((group) => group.toString(16)).join(':');
    return bitsOfV6(text.slice(0, -tail.length) + groups);
  }
  const [before = '', after] = text.split('::');
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [first, last] = [groupsOf(before), groupsOf(after ?? '')];
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].reduce(
    (bits, group) => (bits << 16n) | BigInt(`0x${group}`),
    0n,
  );
}
