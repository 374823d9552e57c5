import { execFileSync } from 'node:child_process';

/** Worker threads and child processes run the compiled program, so it must be as new as the sources. */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
