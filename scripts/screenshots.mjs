// Takes pictures of every page of a console that runs: node scripts/screenshots.mjs URL TOKEN FOLDER
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, token, folder = 'screenshots'] = process.argv.slice(2);
if (url === undefined || token === undefined) {
  console.error('usage: node scripts/screenshots.mjs URL TOKEN [FOLDER]');
  process.exit(2);
}

const PAGES = ['', 'events', 'alerts', 'people', 'zones', 'rules', 'system'];
const LOOKS = {
  dark: { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  light: { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  phone: { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
};
/** For pictures to come in. */
const SETTLE_MS = 2500;

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.APEX_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
for (const [look, options] of Object.entries(LOOKS)) {
  const page = await browser.newPage(options);
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(`${look}: ${message.text()}`);
  });
  await page.goto(url);
  await page.getByLabel('Token').fill(token);
  await page.screenshot({ path: join(folder, `${look}-login.png`) });
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('navigation').waitFor();
  for (const path of PAGES) {
    await page.goto(new URL(path, url).href);
    await page.waitForTimeout(SETTLE_MS);
    if (path === 'events') {
      await page.keyboard.press('j');
      await page.waitForTimeout(SETTLE_MS / 2);
    }
    await page.screenshot({ path: join(folder, `${look}-${path || 'live'}.png`) });
  }
  await page.close();
}
await browser.close();
