import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type TestAPI, test } from 'vitest';

/** What a fault needs of the machine, and how to see whether it is there. */
const NEEDS = {
  root: () => process.getuid?.() === 0,
  strace: () => runs('strace', '-qq', '-e', 'trace=none', 'true'),
  nft: () => runs('unshare', '--net', 'nft', 'list', 'ruleset'),
  ip: () => runs('unshare', '--net', 'ip', 'link'),
  gcc: () => runs('gcc', '--version'),
  mosquitto: () => existsSync('/usr/sbin/mosquitto') || runs('which', 'mosquitto'),
  tmpfs: () => runs('unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'),
  libfaketime: () => faketimeLibrary() !== null,
} as const;
type Need = keyof typeof NEEDS;

/**
 * `test` where the machine has all that is named. Elsewhere it skips loudly; in CI it fails, because a fault
 * that was not injected must not look like one that was survived.
 */
export function testWhere(...needs: readonly Need[]): TestAPI {
  const missing = needs.filter((need) => !NEEDS[need]());
  if (missing.length === 0) return test;
  const reason = `needs ${missing.join(', ')}`;
  console.warn(`SKIPPED FAULT TESTS: ${reason}`);
  if (process.env.CI === undefined) return test.skip as TestAPI;
  const failing = (name: string): void => {
    test(name, () => {
      throw new Error(`not run: ${reason}`);
    });
  };
  return failing as unknown as TestAPI;
}

/** Path of libfaketime for programs with threads, or null. */
export function faketimeLibrary(): string | null {
  const architecture = spawnSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).stdout?.trim();
  const places = [architecture ?? '', 'x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
    (name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`,
  );
  return places.find((path) => existsSync(path)) ?? null;
}

function runs(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
