import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import { USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { parseExposition } from '../../support/prometheus-text.ts';
import { EDGE_TOKEN, HubScene, httpOf, VIEWER_TOKEN } from './hub-scene.ts';
import { alert, RawClient } from './raw-client.ts';

const ADMIN_TOKEN = 'admin-token';
const YARD_TOKEN = 'yard-token';
const EVENTS_TOKEN = 'events-token';

function token(name: string, text: string, change: Partial<HubToken> = {}): HubToken {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { name, type: 'frontend', sha256, scopes: USUAL_SCOPES, ...change };
}

const TOKENS = [
  token('edge', EDGE_TOKEN, { type: 'ai_engine' }),
  token('viewer', VIEWER_TOKEN),
  token('admin', ADMIN_TOKEN, { scopes: { ...USUAL_SCOPES, admin: true } }),
  token('yard', YARD_TOKEN, { scopes: { ...USUAL_SCOPES, cameras: ['yard'] } }),
  token('events', EVENTS_TOKEN, { scopes: { ...USUAL_SCOPES, receive: ['object_event'] } }),
];

let scene: HubScene;
let base: string;
let url: string;

beforeEach(async () => {
  scene = new HubScene();
  await start();
});
afterEach(() => scene.end());

async function start(options: Parameters<HubScene['start']>[0] = {}) {
  const started = await scene.start({ tokens: TOKENS, ...options });
  url = started.url;
  base = httpOf(url);
  return started.hub;
}

async function restart(hub: Awaited<ReturnType<typeof start>>, options = {}) {
  await scene.stop(hub);
  return start(options);
}

function get(path: string, bearer?: string, init: RequestInit = {}): Promise<Response> {
  const authorization = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  return fetch(`${base}${path}`, { ...init, headers: { ...init.headers, ...authorization } });
}
