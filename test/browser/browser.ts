import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

const MAIN = fileURLToPath(new URL('page/main.tsx', import.meta.url));

/** Debian's Chromium, or another by APEX_CHROMIUM. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.APEX_CHROMIUM ?? findChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function findChromium(): string {
  try {
    return execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  } catch (error) {
    throw new Error('no chromium: apt-get install chromium, or name one in APEX_CHROMIUM', {
      cause: error,
    });
  }
}

/** The page as an application would bundle it, served on loopback. */
export class PageServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<PageServer> {
    const { outputFiles } = await build({
      entryPoints: [MAIN],
      bundle: true,
      format: 'esm',
      jsx: 'automatic',
      // With React's checks: StrictMode mounts twice.
      define: { 'process.env.NODE_ENV': '"development"' },
      write: false,
      logLevel: 'silent',
    });
    const script = outputFiles[0]?.text ?? '';
    const server = createServer((request, response) => {
      const isScript = request.url === '/main.js';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
      response.end(
        isScript
          ? script
          : '<!doctype html><div id="root"></div><script type="module" src="/main.js"></script>',
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PageServer(server);
  }

  get origin(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
