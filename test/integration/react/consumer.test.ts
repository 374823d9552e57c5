import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/program.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const CONSUMER = `
import { type EventMessage, MESSAGE_TYPES, RequestError, useEnhancedWebSocket } from 'apex-edge/react';

export function useDoor(): Promise<string> {
  const hook = useEnhancedWebSocket({ serverUrl: 'https://hub.example', token: 'x' });
  hook.onMessage('alert_triggered', (alert) => {
    const severity: 'low' | 'medium' | 'high' | 'critical' = alert.data.severity;
    // @ts-expect-error an alert has no such field
    return [severity, alert.data.nonsense];
  });
  hook.onMessage(MESSAGE_TYPES.ERROR, ({ data }) => data.code.length);
  // @ts-expect-error there is no such message
  hook.onMessage('no_such_message', () => undefined);
  // @ts-expect-error a quality is a name of the list, or numbers
  hook.changeStreamQuality('door', 'splendid');
  hook.sendMessage({ type: 'stream_stop_request', request_id: 'r', data: { camera_id: 'door' } });
  return hook.startStream('door', { quality: { fps: 5 } }).then(({ camera_id }) => camera_id);
}
export const codeOf = (error: RequestError): string => error.code;
export const at = (event: EventMessage): number => event.event_id;
`;

test.each(['nodenext', 'bundler'])(
  'an application compiles against the package (%s)',
  (resolution) => {
    const folder = temporaryFolder('consumer');
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      stdio: 'pipe',
    });
    mkdirSync(join(modules, 'apex-edge'));
    execFileSync(
      'sh',
      ['-c', 'tar -xzf apex-edge-*.tgz --strip-components=1 -C node_modules/apex-edge'],
      {
        cwd: folder,
      },
    );
    for (const name of ['react', 'zod', '@types/react', 'csstype'])
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(join(folder, 'app.ts'), CONSUMER);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: [],
      target: 'ES2023',
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      module: resolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution: resolution,
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['app.ts'] }),
    );
    expect(run(folder)).toBe('');
  },
);

/** What the compiler has to say. */
function run(folder: string): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
