import { createHash, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HubToken } from '../../../src/hub/door/tokens.ts';
import type { Hub } from '../../../src/hub/hub.ts';
import { CLIENT_FRAMES } from '../../../src/protocol/frames.ts';
import { DELIVERED_TYPES } from '../../../src/protocol/lanes.ts';
import { LEGACY_CLIENT_FRAMES } from '../../../src/protocol/legacy.ts';
import { PAYLOADS } from '../../../src/protocol/payloads.ts';
import { type Scopes, USUAL_SCOPES } from '../../../src/protocol/scopes.ts';
import { CLIENT_TYPES, type ClientType } from '../../../src/protocol/session.ts';
import { EDGE_TOKEN, HubScene } from './hub-scene.ts';
import { COLUMNS, type Column, keysOf, permissionTable } from './permission-tables.ts';
import { type Frame, type Item, RawClient } from './raw-client.ts';

const SCOPES: Record<Column, Scopes> = {
  all: USUAL_SCOPES,
  none: { cameras: [], send: [], receive: [], admin: false },
  'other camera': { ...USUAL_SCOPES, cameras: ['yard'] },
  'other type': { ...USUAL_SCOPES, send: ['something_else'], receive: ['something_else'] },
  admin: { cameras: [], send: [], receive: [], admin: true },
};

const secretOf = (type: ClientType, column: Column): string => `${type} ${column}`;
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const TOKENS: HubToken[] = CLIENT_TYPES.flatMap((type) =>
  COLUMNS.map((column) => {
    const name = secretOf(type, column);
    return { name, type, sha256: digest(name), scopes: SCOPES[column] };
  }),
);
const READER_TOKEN = 'reader-token';
const HELPERS: HubToken[] = [
  { name: 'source', type: 'ai_engine', sha256: digest(EDGE_TOKEN), scopes: USUAL_SCOPES },
  { name: 'reader', type: 'frontend', sha256: digest(READER_TOKEN), scopes: USUAL_SCOPES },
];

const EPOCH = randomUUID();
const NOW = 1_767_225_590_000;
const BOX = { x: 0.1, y: 0.1, width: 0.2, height: 0.2 };

/** A valid payload of every delivered type, of the camera `gate` where the type has one. */
const MESSAGES: Record<(typeof DELIVERED_TYPES)[number], Record<string, unknown>> = {
  alert_triggered: {
    type: 'intrusion',
    camera_id: 'gate',
    severity: 'high',
    timestamp: NOW,
    data: {},
  },
  face_detection_result: { camera_id: 'gate', timestamp: NOW, faces: [] },
  object_event: {
    phase: 'new',
    event_id: 'e-1',
    camera_id: 'gate',
    type: 'person',
    label: 'person',
    track_id: 1,
    start_time: NOW,
    last_seen_time: NOW,
    end_time: null,
    score: 0.5,
    top_score: 0.5,
    bounding_box: BOX,
    has_snapshot: false,
    model: 'test-detector',
    timestamp: NOW,
  },
  alert_thumbnail: {
    alert_id: 'a-1',
    camera_id: 'gate',
    timestamp: NOW,
    width: 1,
    height: 1,
    jpeg: '/9j/',
  },
  ai_detection_result: { camera_id: 'gate', timestamp: NOW, detections: [] },
  ai_engine_status: {
    timestamp: NOW,
    status: 'running',
    provider: null,
    model: 'test-detector',
    cameras: ['gate', 'yard'].map((id) => ({ camera_id: id, state: 'streaming', fps: 5 })),
  },
  person_forgotten: { person_id: 'person-abcdefghjk', timestamp: NOW },
};
/** For the hub itself. */
const ORDER = 'person_forgotten';

const GATE = { camera_id: 'gate' };
const FAILURE = { ...GATE, code: 'edge_fault', message: 'it does not work', retryable: false };

/** Valid data of every frame; of `client_identify` beside what names the client. */
const FRAMES: Record<keyof typeof CLIENT_FRAMES, Record<string, unknown>> = {
  client_identify: {},
  heartbeat: { mono_ms: 1, pending: {} },
  client_goodbye: { pending: {} },
  error: { code: 'client_fault', message: 'something is wrong', retryable: false },
  message_batch: { epoch: EPOCH, lane: 0, first_seq: 1, items: [gapOf(1)] },
  subscribe: { types: ['alert_triggered'], cameras: ['gate'] },
  cameras_changed: { cameras: ['gate'] },
  unsubscribe: {},
  stream_start_request: GATE,
  stream_stop_request: GATE,
  stream_quality_change: { ...GATE, quality: 'low' },
  stream_start_success: GATE,
  stream_start_error: FAILURE,
  stream_stop_success: GATE,
  stream_stop_error: FAILURE,
  stream_quality_success: GATE,
  stream_quality_error: FAILURE,
  send_evidence_error: { code: 'EVIDENCE_UNKNOWN', message: 'there is none' },
};

/** Neither a refusal by the door nor a mistake of the test: the hub took the frame up. */
const STREAM_FAULTS = /^(?:not_supported|camera_\w+|edge_\w+|request_\w+)$/;

function gapOf(seq: number): Item {
  return { seq, gap: { from_seq: seq, to_seq: seq, count: 1, reason: 'poison' } };
}

function itemOf(type: string, seq: number): Item {
  return {
    seq,
    message_id: randomUUID(),
    type,
    schema_version: 1,
    timestamp: NOW,
    mono_ms: 1,
    data: MESSAGES[type as keyof typeof MESSAGES],
  };
}

let scene: HubScene;
let hub: Hub;
let url: string;

beforeEach(async () => {
  scene = new HubScene();
  ({ hub, url } = await scene.start({ tokens: [...TOKENS, ...HELPERS] }));
});
afterEach(() => scene.end());

function connect(type: ClientType, column: Column): Promise<RawClient> {
  const token = secretOf(type, column);
  return RawClient.identified(url, { token, clientId: token, type });
}

async function connectLegacy(type: ClientType, column: Column): Promise<RawClient> {
  const client = await RawClient.connect(url);
  client.send('client_identify', { client_type: type, auth_token: secretOf(type, column) });
  await client.next('identification_success');
  return client;
}

/** What the hub says to a frame: everything up to the answer to the heartbeat behind it. */
async function answersTo(client: RawClient, send: (requestId: string) => void): Promise<Frame[]> {
  const first = client.frames.length;
  const requestId = randomUUID();
  send(requestId);
  client.send('heartbeat', { mono_ms: 1, pending: {} }, `${requestId}-end`);
  for (;;) {
    const ack = await client.next('heartbeat_ack');
    if (ack.request_id === `${requestId}-end`) break;
  }
  return client.frames.slice(first).filter(({ request_id: id }) => id === requestId);
}

function verdictOf(type: string, answers: readonly Frame[]): string {
  const codes = answers.filter((answer) => answer.type === 'error').map(({ data }) => data.code);
  const [code = 'ok'] = codes as string[];
  return type.startsWith('stream_') && STREAM_FAULTS.test(code) ? 'ok' : code;
}

type Table = Map<string, string[]>;

/** Asks for every column of every client type, on a connection for each. */
async function observe(
  open: typeof connect,
  ask: (
    client: RawClient,
    note: (type: string, verdict: string) => void,
    type: ClientType,
  ) => Promise<void>,
): Promise<Table> {
  const table: Table = new Map();
  for (const clientType of CLIENT_TYPES)
    for (const column of COLUMNS) {
      const client = await open(clientType, column);
      const note = (type: string, verdict: string): void => {
        const key = `${type} ${clientType}`;
        table.set(key, [...(table.get(key) ?? []), verdict]);
      };
      await ask(client, note, clientType);
      client.close();
    }
  return table;
}

const refusals = (table: ReadonlyMap<string, readonly string[]>): number =>
  [...table.values()].flat().filter((verdict) => verdict === 'forbidden').length;

const asObject = (table: ReadonlyMap<string, readonly string[]>) => Object.fromEntries(table);

describe('what a client may send', () => {
  test('frames of this protocol', async () => {
    const expected = permissionTable('Frames that a client sends');
    expect([...expected.keys()].sort()).toEqual(keysOf(Object.keys(CLIENT_FRAMES)));
    const observed = await observe(connect, async (client, note, clientType) => {
      for (const [type, data] of Object.entries(FRAMES)) {
        const answers = await answersTo(client, (requestId) => {
          if (type !== 'client_identify') client.send(type, data, requestId);
          else client.send(type, identity(clientType), requestId);
        });
        note(type, verdictOf(type, answers));
      }
    });
    expect(asObject(observed)).toEqual(asObject(expected));
    expect(hub.stats().forbidden).toBe(refusals(expected));
  });

  function identity(type: ClientType): Record<string, unknown> {
    const auth = { token: secretOf(type, 'all') };
    return { client_id: 'other', client_type: type, auth, protocol: 2, capabilities: [] };
  }

  test('frames of the original protocol', async () => {
    const expected = permissionTable('Frames of the original protocol');
    expect([...expected.keys()].sort()).toEqual(keysOf(Object.keys(LEGACY_CLIENT_FRAMES)));
    const observed = await observe(connectLegacy, async (client, note, clientType) => {
      for (const type of Object.keys(LEGACY_CLIENT_FRAMES)) {
        const answers = await answersTo(client, (requestId) =>
          client.send(type, legacyData(type, clientType), requestId),
        );
        note(type, verdictOf(type, answers));
      }
    });
    expect(asObject(observed)).toEqual(asObject(expected));
    expect(hub.stats().forbidden).toBe(refusals(expected));
  });

  function legacyData(type: string, clientType: ClientType): unknown {
    if (type === 'client_identify')
      return { client_type: clientType, auth_token: secretOf(clientType, 'all') };
    return { ...MESSAGES, ...FRAMES }[type as keyof typeof FRAMES];
  }

  test('messages in batches: what is not allowed is acknowledged, kept and shown to nobody', async () => {
    const expected = permissionTable('Messages that an edge delivers');
    expect([...expected.keys()].sort()).toEqual(
      DELIVERED_TYPES.map((type) => `${type} ai_engine`).sort(),
    );
    const viewer = await connect('frontend', 'all');
    viewer.send('subscribe', { types: ['*'] });
    await viewer.next('subscription_success');
    const observed: Table = new Map();
    for (const column of COLUMNS) {
      const client = await connect('ai_engine', column);
      const items = DELIVERED_TYPES.map((type, index) => itemOf(type, index + 1));
      client.batch({ epoch: EPOCH, lane: 0 }, items, 'b-1');
      const { data } = await client.next('batch_ack');
      expect(data.acks[0].acked_through).toBe(items.length);
      for (const [index, type] of DELIVERED_TYPES.entries()) {
        const rejection = data.rejected.find(({ seq }: { seq: number }) => seq === index + 1);
        const key = `${type} ai_engine`;
        observed.set(key, [...(observed.get(key) ?? []), rejection?.code ?? 'ok']);
        if (rejection !== undefined) expect(rejection.quarantined).toBe(true);
      }
      client.close();
    }
    expect(asObject(observed)).toEqual(asObject(expected));
    const total = DELIVERED_TYPES.length * COLUMNS.length;
    const forbidden = refusals(expected);
    await answersTo(viewer, () => undefined);
    const shown = viewer.frames.filter(({ event_id: id }) => id !== undefined);
    const orders = [...expected].find(([key]) => key.startsWith(ORDER))?.[1] ?? [];
    const taken = orders.filter((verdict) => verdict === 'ok').length;
    expect(taken).toBeGreaterThan(0);
    expect(shown).toHaveLength(total - forbidden - taken);
    expect(hub.stats()).toMatchObject({ forbidden, quarantined: forbidden, messagesStored: total });
    await scene.stop(hub);
    const kept = scene.events();
    expect(kept.filter(({ status }) => status === 1)).toHaveLength(forbidden);
  });
});

describe('what a client is shown', () => {
  const expected = permissionTable('Messages that a client is shown');

  test('the table has every type of message', () => {
    expect([...expected.keys()].sort()).toEqual(keysOf(Object.keys(PAYLOADS)));
  });

  /** Delivers a message of every type, each time that it is called. */
  async function source(): Promise<() => Promise<void>> {
    const edge = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'source' });
    return async () => {
      const items = DELIVERED_TYPES.map((type, index) => itemOf(type, index + 1));
      edge.batch({ epoch: randomUUID(), lane: 0 }, items, 'b-1');
      await edge.next('batch_ack');
    };
  }

  /** What came to a client since it had so many frames; the hub sends in order, and the heartbeat is last. */
  async function shownSince(client: RawClient, first: number): Promise<(type: string) => string> {
    await answersTo(client, () => undefined);
    const shown = new Map(client.frames.slice(first).map((frame) => [frame.type, frame]));
    return (type) => {
      const frame = shown.get(type);
      if (frame === undefined) return 'hidden';
      return type === 'ai_engine_status' ? extentOf(frame) : 'shown';
    };
  }

  /** Its source has the cameras `gate` and `yard`, and no scope of these tests is for `gate` alone. */
  function extentOf({ data }: Frame): string {
    const ids = data.cameras.map(({ camera_id: id }: { camera_id: string }) => id).join();
    expect(['gate,yard', 'yard']).toContain(ids);
    return ids === 'yard' ? 'own cameras' : 'shown';
  }

  test('as it happens', async () => {
    const deliver = await source();
    const observed = await observe(connect, async (client, note) => {
      client.send('subscribe', { types: ['*'] });
      await answersTo(client, () => undefined);
      const first = client.frames.length;
      await deliver();
      const shown = await shownSince(client, first);
      for (const type of DELIVERED_TYPES) note(type, shown(type));
    });
    expect(asObject(observed)).toEqual(asObject(expected));
  });

  test('from the history', async () => {
    await (await source())();
    const reader = await RawClient.identified(url, {
      token: READER_TOKEN,
      clientId: 'reader',
      type: 'frontend',
    });
    const observed = await observe(connect, async (client, note) => {
      const first = client.frames.length;
      client.send('subscribe', { types: ['*'], after_event_id: 0 });
      await answersTo(client, () => undefined);
      // The history is read for one subscriber after the other: once the reader has it, the client's turn is over.
      reader.send('subscribe', { types: ['*'], after_event_id: 0 });
      for (const type of DELIVERED_TYPES) if (type !== ORDER) await reader.next(type);
      const shown = await shownSince(client, first);
      for (const type of DELIVERED_TYPES) note(type, shown(type));
    });
    expect(asObject(observed)).toEqual(asObject(expected));
  });

  test('of the original protocol', async () => {
    const deliver = await source();
    const observed = await observe(connectLegacy, async (client, note) => {
      const first = client.frames.length;
      await deliver();
      const shown = await shownSince(client, first);
      for (const type of DELIVERED_TYPES) note(type, shown(type));
    });
    expect(asObject(observed)).toEqual(asObject(expected));
  });
});

describe('alerts of several cameras, or of none', () => {
  const alertItem = (seq: number, more: Record<string, unknown>): Item => ({
    ...itemOf('alert_triggered', seq),
    data: { type: 'camera_offline', severity: 'high', timestamp: NOW, data: {}, ...more },
  });
  const entry = (id: string) => ({ camera_id: id, why: `${id} is offline` });
  const BATCH = [
    alertItem(1, {
      camera_ids: ['gate', 'yard'],
      data: { why: 'gate and yard are offline', cameras: [entry('gate'), entry('yard')] },
    }),
    alertItem(2, { camera_ids: ['gate', 'dock'] }),
    alertItem(3, { type: 'storage_low' }),
    alertItem(4, { camera_ids: ['yard'] }),
  ];

  test('an edge delivers those whose cameras are all within its scope', async () => {
    const client = await connect('ai_engine', 'other camera');
    client.batch({ epoch: EPOCH, lane: 0 }, BATCH, 'b-1');
    const { data } = await client.next('batch_ack');
    expect(data.rejected.map(({ seq }: { seq: number }) => seq)).toEqual([1, 2, 3]);
    client.close();
  });

  test.each(['live', 'from the history'])(
    'a viewer is shown what is of its cameras, %s',
    async (how) => {
      const edge = await RawClient.identified(url, { token: EDGE_TOKEN, clientId: 'source' });
      const deliver = async () => {
        edge.batch({ epoch: EPOCH, lane: 0 }, BATCH, 'b-1');
        await edge.next('batch_ack');
      };
      if (how !== 'live') await deliver();
      const viewers: RawClient[] = [];
      for (const [type, column, cameras] of [
        ['frontend', 'all', ['*']],
        ['frontend', 'other camera', ['*']],
        ['mobile_app', 'all', ['yard']],
      ] as const) {
        const viewer = await connect(type, column);
        const after = how === 'live' ? {} : { after_event_id: 0 };
        viewer.send('subscribe', { types: ['*'], cameras, ...after });
        await viewer.next('subscription_success');
        viewers.push(viewer);
      }
      if (how === 'live') await deliver();
      const shown: Frame[][] = [];
      for (const viewer of viewers) {
        // The last of the batch is shown to each of them.
        for (let last = ''; last !== 'yard'; )
          last = (await viewer.next('alert_triggered')).data.camera_ids?.join() ?? '';
        shown.push(viewer.frames.filter(({ event_id: id }) => id !== undefined));
      }
      const [all, own, asked] = shown;
      expect(all?.map(({ data }) => data.camera_ids)).toEqual([
        ['gate', 'yard'],
        ['gate', 'dock'],
        undefined,
        ['yard'],
      ]);
      expect(asked?.map(({ data }) => data.camera_ids)).toEqual([['gate', 'yard'], ['yard']]);
      expect(own?.map(({ data }) => data.camera_ids)).toEqual([['yard'], ['yard']]);
      expect(own?.[0]?.data.data).toEqual({ why: 'yard is offline', cameras: [entry('yard')] });
    },
  );
});
