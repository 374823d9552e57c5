/**
 * A prefix that has strace do something to the program at a syscall.
 *
 * `when` counts per thread, and only the store's thread makes the calls that change files. Without
 * `--seccomp-bpf`, under which injections into threads are lost on some kernels.
 * @param injections as strace takes them: `fsync:signal=SIGKILL:when=7`, `pread64:error=EIO:when=3+`
 */
export function straced(...injections: readonly string[]): string[] {
  const calls = injections.map((injection) => injection.split(':')[0]).join(',');
  const rules = injections.flatMap((injection) => ['-e', `inject=${injection}`]);
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, ...rules];
}
