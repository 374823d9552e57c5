import { copyFileSync, rmSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { HubUnderTest } from '../faults/support/hub.ts';
import { type Identity, RawClient } from '../integration/hub/raw-client.ts';
import { freePort, temporaryFolder, waitFor } from '../support/program.ts';
import { launchBrowser, PageServer } from './browser.ts';
import type { PageConfig, Probe, View } from './page/probe.ts';

declare const window: { probe: Probe };

/** A browser, a hub and the server of the page, for all tests of a file; each has a page of its own. */
export class Scene {
  readonly hub: HubUnderTest;
  readonly #browser: Browser;
  readonly #pages: PageServer;

  private constructor(hub: HubUnderTest, browser: Browser, pages: PageServer) {
    this.hub = hub;
    this.#browser = browser;
    this.#pages = pages;
  }

  static async open(): Promise<Scene> {
    const browser = launchBrowser();
    const pages = await PageServer.start();
    const hub = new HubUnderTest({
      dir: temporaryFolder('browser-hub'),
      edges: ['edge-1'],
      tokens: [
        {
          name: 'door',
          type: 'frontend',
          token: 'token-of-the-door',
          scopes: { cameras: ['door'] },
        },
      ],
      port: await freePort(),
      allowedOrigins: [pages.origin],
    });
    await hub.open();
    return new Scene(hub, await browser, pages);
  }

  async close(): Promise<void> {
    await Promise.all([this.#browser.close(), this.hub.stop()]);
    this.#pages.close();
  }

  get serverUrl(): string {
    return `http://127.0.0.1:${this.hub.port}`;
  }

  async visit(): Promise<Visit> {
    return new Visit(await this.#browser.newPage(), this.#pages.origin);
  }

  edge(more: Partial<Identity> = {}): Promise<RawClient> {
    return RawClient.identified(this.hub.url, { token: this.hub.tokenOf('edge-1'), ...more });
  }

  async connectedClients(): Promise<number> {
    const response = await fetch(`${this.serverUrl}/api/health`);
    const health = (await response.json()) as { websocket: { connected_clients: number } };
    return health.websocket.connected_clients;
  }

  async backUp(): Promise<void> {
    await this.hub.stop();
    copyFileSync(this.hub.databasePath, this.#backupPath);
    await this.hub.open();
  }

  /** The hub begins anew from its backup. */
  async restore(): Promise<void> {
    await this.hub.kill();
    for (const suffix of ['-wal', '-shm'])
      rmSync(`${this.hub.databasePath}${suffix}`, { force: true });
    copyFileSync(this.#backupPath, this.hub.databasePath);
    await this.hub.open();
  }

  get #backupPath(): string {
    return `${this.hub.databasePath}.backup`;
  }
}

/** A page of one test. */
export class Visit {
  readonly page: Page;
  /** Every WebSocket that the page ever opened. */
  readonly sockets: string[] = [];
  /** Types of the frames that it sent. */
  readonly sent: string[] = [];
  /** What was thrown and caught by nobody, rejections included. */
  readonly errors: string[] = [];
  readonly #origin: string;

  constructor(page: Page, origin: string) {
    this.page = page;
    this.#origin = origin;
    page.on('websocket', (socket) => {
      this.sockets.push(socket.url());
      socket.on('framesent', ({ payload }) => this.sent.push(JSON.parse(String(payload)).type));
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  async show(config: PageConfig, more: Partial<View> = {}): Promise<void> {
    const view: View = { config, cameras: ['door', 'yard'], isRecording: true, ...more };
    await this.page.goto(`${this.#origin}/#${encodeURIComponent(JSON.stringify(view))}`);
  }

  change(change: Partial<View>): Promise<void> {
    return this.page.evaluate((wanted) => window.probe.change(wanted), change);
  }

  async statusIs(status: string): Promise<void> {
    await waitFor(`status ${status}`, () =>
      this.page.evaluate((wanted) => window.probe.hook?.status === wanted, status),
    );
  }

  async errorIs(code: string | null): Promise<void> {
    await waitFor(`error ${code}`, () =>
      this.page.evaluate((wanted) => (window.probe.hook?.error?.code ?? null) === wanted, code),
    );
  }

  /** Subscribed once the hub answered: what is delivered after this reaches the page. */
  async subscribed(): Promise<void> {
    await waitFor('the page is subscribed', () =>
      this.page.evaluate(() => window.probe.subscriptions > 0),
    );
  }

  events(): Promise<number[]> {
    return this.page.evaluate(() => window.probe.events);
  }

  async heard(count: number): Promise<void> {
    await waitFor(`${count} events`, async () => (await this.events()).length >= count);
  }
}
