import { describe, expect, test } from 'vitest';
import { addressGroup } from '../../../src/hub/door/address-group.ts';
import { Doorman } from '../../../src/hub/door/doorman.ts';
import { checkPlaintext } from '../../../src/hub/door/listener-tls.ts';
import { mayComeFrom } from '../../../src/hub/door/origins.ts';
import { DEFAULT_HUB_LIMITS } from '../../../src/hub/limits.ts';

describe('origins of pages', () => {
  const allowed = ['https://console.example.org'];

  test.each([
    [undefined, 'hub.example.org', true],
    ['https://console.example.org', 'hub.example.org', true],
    ['https://hub.example.org:8443', 'hub.example.org:8443', true],
    ['https://hub.example.org', 'HUB.example.org', true],
    ['https://console.example.org.evil.test', 'hub.example.org', false],
    ['https://console.example.org:444', 'hub.example.org', false],
    ['http://console.example.org', 'hub.example.org', false],
    ['https://hub.example.org', 'hub.example.org:8443', false],
    ['https://hub.example.org', undefined, false],
    ['null', 'hub.example.org', false],
    ['', 'hub.example.org', false],
  ])('%s at %s: %s', (origin, host, isAllowed) => {
    expect(mayComeFrom(origin, host, allowed)).toBe(isAllowed);
  });
});

describe('peers by address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:192.0.2.7', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  test('one network of IPv6 shares the refusals and the places of strangers', () => {
    const doorman = new Doorman({ ...DEFAULT_HUB_LIMITS, unidentifiedPerAddress: 2 });
    const inside = (index: number) => `2001:db8:1:2::${index.toString(16)}`;
    const holds = Array.from({ length: 40 }, (_, index) => doorman.holdRefusal(inside(index), 0));
    expect(holds[0]).toBe(0);
    expect(holds.at(-1)).toBeGreaterThan(0);
    expect(doorman.holdRefusal('2001:db8:1:3::1', 0)).toBe(0);
    expect([1, 2, 3].map((index) => doorman.admit(inside(index)))).toEqual([true, true, false]);
    doorman.leave(inside(9));
    expect(doorman.admit(inside(4))).toBe(true);
  });
});

describe('plain text', () => {
  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('is allowed on %s', (host) => {
    expect(() => checkPlaintext(host, false)).not.toThrow();
  });

  test.each(['0.0.0.0', '::', '10.0.0.1', 'hub.example.org', '127.0.0.1.example.org', ''])(
    'is not on "%s" unasked',
    (host) => {
      expect(() => checkPlaintext(host, false)).toThrow(
        expect.objectContaining({ code: 'HUB_PLAINTEXT' }),
      );
      expect(() => checkPlaintext(host, true)).not.toThrow();
    },
  );
});
