import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHostWithin, parseHost, parseHostPattern } from '../../../../src/config/host-pattern.ts';
import {
  type AddressRule,
  checkStreamAddress,
} from '../../../../src/edge/cameras/address-rules.ts';
import { ApexError } from '../../../../src/system/errors.ts';
import { redactText } from '../../../../src/system/redact.ts';

const RULES: AddressRule[] = [
  { scheme: 'rtsp', host: '10.0.7.0/24' },
  { scheme: 'rtsp', host: '*.cams.example', port: 8554 },
  { scheme: 'rtsps', host: 'gate.example' },
  { scheme: 'rtsp', host: 'fd00:7::/32' },
];

function verdict(url: string): string {
  try {
    checkStreamAddress(url, RULES);
    return 'allowed';
  } catch (error) {
    return (error as ApexError).code;
  }
}

describe('an address from upstream', () => {
  test.each([
    'rtsp://10.0.7.1/a',
    'rtsp://10.0.7.255:554/a?channel=1',
    'rtsp://user:pa%40ss@10.0.7.9',
    'rtsp://a.cams.example:8554/x',
    'rtsp://A.b.Cams.Example:8554/x',
    'rtsps://gate.example:322/x',
    'rtsp://[fd00:7:1::5]/x',
    'rtsp://[fd00:7::10.0.7.1]:554/x',
  ])('%s is allowed', (url) => {
    expect(verdict(url)).toBe('allowed');
  });

  test.each([
    // Another network, port, scheme, name.
    'rtsp://10.0.8.1/a',
    'rtsp://10.0.7.1:80/a',
    'rtsps://10.0.7.1:554/a',
    'rtsp://cams.example:8554/x',
    'rtsp://evilcams.example:8554/x',
    'rtsp://a.cams.example/x',
    'rtsps://gate.example.evil.example/x',
    // An allowed host in the user info, path or query only.
    'rtsp://10.0.7.1:554@192.0.2.1/a',
    'rtsp://10.0.7.1@192.0.2.1:554/a',
    'rtsp://192.0.2.1/10.0.7.1',
    'rtsp://192.0.2.1?10.0.7.1',
    // An IPv4 address within an IPv6 one is not judged by rules for IPv4.
    'rtsp://[::ffff:10.0.7.1]/a',
    'rtsp://[::1]/a',
    'rtsp://localhost/a',
  ])('%s is forbidden', (url) => {
    expect(verdict(url)).toBe('STREAM_ADDRESS_FORBIDDEN');
  });

  test.each([
    '',
    'file:///etc/passwd',
    'http://10.0.7.1/a',
    'RTSP://10.0.7.1/a',
    'concat:rtsp://10.0.7.1/a',
    'rtsp:10.0.7.1/a',
    'rtsp:///a',
    'rtsp://user@/a',
    'rtsp://a@b@10.0.7.1/a',
    'rtsp://192.0.2.1/@10.0.7.1/a',
    'rtsp://10.0.7.1#@192.0.2.1/',
    'rtsp://10.0.7.1\\@192.0.2.1/a',
    'rtsp://192.0.2.1\\.cams.example:8554/a',
    'rtsp://10.0.7.1%2f@192.0.2.1%00/a',
    'rtsp://%31%30.0.7.1/a',
    'rtsp://10.0.7.1/a\nfile /etc/passwd',
    'rtsp://10.0.7.1 192.0.2.1/a',
    'rtsp://10.0.7.1/ä',
    'rtsp://１０.0.7.1/a',
    'rtsp://10.0.7.1:0/a',
    'rtsp://10.0.7.1:99999/a',
    'rtsp://10.0.7.1:/a',
    'rtsp://010.0.7.1/a',
    'rtsp://10.0.1793/a',
    'rtsp://167773953/a',
    'rtsp://0x0a000701/a',
    'rtsp://10.0.7.0x1/a',
    'rtsp://10.0.7.1./a',
    'rtsp://[fd00:7::1%25eth0]/a',
    'rtsp://[10.0.7.1]/a',
    'rtsp://fd00:7::1/a',
    `rtsp://10.0.7.1/${'a'.repeat(2048)}`,
  ])('%s is no address', (url) => {
    expect(verdict(url)).toBe('STREAM_ADDRESS_INVALID');
  });

  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/);
  const junk = fc.string({ unit: fc.constantFrom(...'ab1.:/@#?\\[]%*- \n\u0000'), maxLength: 12 });

  test('whatever is allowed leads, as every reader of addresses sees it, to an allowed host', () => {
    const urls = fc
      .tuple(
        fc.constantFrom('rtsp', 'rtsps', 'file', 'RTSP'),
        junk,
        fc.constantFrom('', '@'),
        fc.constantFrom('10.0.7.1', 'x.cams.example', '192.0.2.1', 'gate.example'),
        fc.constantFrom('', ':554', ':8554', ':80'),
        junk,
      )
      .map(
        ([scheme, before, at, host, port, after]) =>
          `${scheme}://${before}${at}${host}${port}${after}`,
      );
    fc.assert(
      fc.property(urls, (url) => {
        if (verdict(url) !== 'allowed') return;
        const { hostname, port, protocol } = new URL(url.replace(/^rtsps?/, 'http'));
        expect(protocol).toBe('http:');
        expect(hostname).toMatch(/^10\.0\.7\.\d+$|\.cams\.example$|^gate\.example$/);
        expect(['', '554', '8554', '322']).toContain(port);
        expect(url).toMatch(/^rtsps?:/);
      }),
      { numRuns: 5000 },
    );
  });

  test('a refusal quotes neither user nor password nor path', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9:%]{6,20}$/), (secret) => {
        const mark = `${secret}zq`;
        for (const url of [`rtsp://${mark}@192.0.2.1/${mark}`, `rtsp://${mark}@x@y/${mark}`]) {
          try {
            checkStreamAddress(url, RULES);
            expect.unreachable();
          } catch (error) {
            expect(error).toBeInstanceOf(ApexError);
            expect(JSON.stringify(error)).not.toContain(mark);
          }
        }
      }),
    );
  });

  test('the credentials of an address that is opened are secrets from then on', () => {
    checkStreamAddress('rtsp://viewer:hunter2-of-the-gate@10.0.7.1/a', RULES);
    checkStreamAddress('rtsp://key-without-password@10.0.7.1/a', RULES);
    expect(redactText('tried hunter2-of-the-gate and key-without-password')).toBe(
      'tried *** and ***',
    );
  });

  test('a network holds exactly the addresses that share its prefix', () => {
    const address = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255)));
    const bits = (parts: number[]) =>
      parts.map((part) => part.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(address, address, fc.nat(32), (a, b, prefix) => {
        const host = parseHost(a.join('.'));
        const pattern = parseHostPattern(`${b.join('.')}/${prefix}`);
        if (host === null || pattern === null) throw new Error('not read');
        const isShared = bits(a).slice(0, prefix) === bits(b).slice(0, prefix);
        expect(isHostWithin(host, pattern)).toBe(isShared);
      }),
    );
  });

  test('an IPv6 address is the same in all its spellings', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, (parts) => {
        const full = parts.map((part) => part.toString(16).padStart(4, '0')).join(':');
        const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
        expect(parseHost(full.toUpperCase())).toEqual(parseHost(short));
        expect(parseHost(full)).toMatchObject({ bits: BigInt(`0x${full.replaceAll(':', '')}`) });
      }),
    );
  });

  test('names are not networks, and nothing is a pattern that could be read in two ways', () => {
    fc.assert(
      fc.property(label, (name) => {
        const host = parseHost(`${name}.example`);
        const all = parseHostPattern('0.0.0.0/0');
        if (host === null || all === null) throw new Error('not read');
        expect(isHostWithin(host, all)).toBe(false);
      }),
    );
    for (const text of [
      '*',
      '*.',
      '*.10.0.0.1',
      '10.0.0.0/33',
      '10.0.0.0/',
      'a/24',
      '10.0/8',
      '[::1]',
    ])
      expect(parseHostPattern(text)).toBeNull();
  });
});
