import { expect, test } from 'vitest';
import { parseHubUrl } from '../../../src/uplink/link/hub-url.ts';

test.each([
  ['wss://hub.example/ws', false],
  ['ws://127.0.0.1:8080', false],
  ['ws://localhost:8080/ws', false],
  ['ws://[::1]:8080/ws', false],
  ['ws://hub.local/ws', true],
  ['ws://127.evil.example/', true],
])('%s is taken; in clear over a network: %s', (text, isExposed) => {
  expect(parseHubUrl(text).isExposed).toBe(isExposed);
});

test.each(['', 'hub', 'http://hub/', 'ws://user:secret@hub/', 'wss://hub/#a'])(
  '%j is refused',
  (text) => {
    expect(() => parseHubUrl(text)).toThrow(expect.objectContaining({ code: 'UPLINK_URL' }));
  },
);

test('no secret of an address is shown', () => {
  expect(parseHubUrl('wss://hub/ws?key=secret').shown).toBe('wss://hub/ws');
  expect(() => parseHubUrl('ws://user:secret@hub/')).not.toThrow(/secret/);
});
