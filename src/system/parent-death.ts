import { execFile } from 'node:child_process';

let guard: Promise<readonly string[]> | null = null;

/**
 * The words in front of a command that tie its life to this process: the kernel then kills it when the thread
 * that started it is gone, however that thread ended. None where util-linux is not installed.
 */
export function parentDeathGuard(): Promise<readonly string[]> {
  guard ??= new Promise((resolve) => {
    const words = ['setpriv', '--pdeathsig', 'KILL', '--'];
    const [command = '', ...args] = words;
    execFile(command, [...args, 'true'], (error) => {
      // Only its absence is for good.
      if (error !== null && error.code !== 'ENOENT') guard = null;
      resolve(error === null ? words : []);
    });
  });
  return guard;
}
