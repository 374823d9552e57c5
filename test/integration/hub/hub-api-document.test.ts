import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { HubScene, hash, httpOf } from './hub-scene.ts';

const run = promisify(execFile);
const text = readFileSync(new URL('../../../docs/hub-api.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    ([, block]) => block ?? '',
  );

test('the examples of docs/hub-api.md do what it says', async () => {
  const scene = new HubScene();
  try {
    const admin = { ...USUAL_SCOPES, admin: true };
    const { url } = await scene.start({
      tokens: [
        { name: 'viewer', type: 'frontend', sha256: hash('viewer'), scopes: USUAL_SCOPES },
        { name: 'admin', type: 'frontend', sha256: hash('admin'), scopes: admin },
      ],
    });
    const env = { ...process.env, HUB: httpOf(url), TOKEN: 'viewer', ADMIN_TOKEN: 'admin' };
    const commands = blocks('sh').flatMap((block) => block.trim().split('\n'));
    const answers = await Promise.all(
      commands.map(async (command) => (await run('bash', ['-c', command], { env })).stdout),
    );
    const [health = '', page = '', followed = '', event = '', stats = '', metrics, refused = ''] =
      answers;
    const [shownHealth = '', shownProblem = ''] = blocks('json');
    const form = (json: string) =>
      JSON.parse(json, (_, value) => (typeof value === 'object' ? value : typeof value));
    expect(form(health)).toEqual(form(shownHealth));
    expect(JSON.parse(page)).toEqual({ events: [], next_cursor: null, has_more: false });
    expect(JSON.parse(followed)).toMatchObject({ events: [], next_cursor: expect.any(String) });
    expect(JSON.parse(event)).toMatchObject({ code: 'not_found' });
    expect(JSON.parse(stats)).toMatchObject({ clients: [] });
    expect(metrics).toMatch(/^# HELP apex_hub_/);
    expect(JSON.parse(refused)).toEqual(JSON.parse(shownProblem));
    expect(answers).toHaveLength(7);
  } finally {
    await scene.end();
  }
});
