import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { EnhancedClient } from '../../../src/react/client.ts';
import { completeConfig, webSocketUrl } from '../../../src/react/config.ts';
import { FakeHub, FakeSurroundings } from './fake-hub.ts';

let around: FakeSurroundings;
let client: EnhancedClient;
const config = completeConfig({ serverUrl: 'http://hub.example', token: 'secret' });

beforeEach(() => {
  around = new FakeSurroundings();
  client = new EnhancedClient(config, around.environment);
});

function connected(): void {
  client.connect();
  around.last.admit();
  expect(client.snapshot.status).toBe('connected');
}

test.each([
  ['http://hub.example', 'ws://hub.example/ws'],
  ['https://hub.example:8443/', 'wss://hub.example:8443/ws'],
  ['ws://hub.example/behind/a/proxy', 'ws://hub.example/behind/a/proxy'],
  ['wss://[::1]:8080/ws', 'wss://[::1]:8080/ws'],
])('%s is reached at %s', (serverUrl, expected) => {
  expect(webSocketUrl(serverUrl, (text) => new URL(text))).toBe(expected);
});

test.each(['ftp://hub.example', 'https://user:pass@hub.example'])('%s is refused', (serverUrl) => {
  expect(() => webSocketUrl(serverUrl, (text) => new URL(text))).toThrow();
});

describe('connection', () => {
  test('the token travels in the introduction and not in the address', () => {
    client.connect();
    around.last.greet();
    expect(around.last.url).toBe('ws://hub.example/ws');
    expect(around.last.taken('client_identify')).toMatchObject([
      { data: { auth: { token: 'secret' }, client_type: 'frontend', protocol: 2 } },
    ]);
  });

  test('heartbeats measure the round trip, and an unanswered one ends the connection', () => {
    connected();
    const [heartbeat] = around.last.taken('heartbeat');
    around.pass(40);
    around.last.say({ type: 'heartbeat_ack', request_id: heartbeat!.request_id, data: {} });
    around.pass(250);
    expect(client.snapshot.stats.latency).toBe(40);
    around.pass(12_000);
    expect(client.snapshot.status).toBe('reconnecting');
    expect(around.open.length).toBeLessThanOrEqual(1);
  });

  test('waits stay under the cap that the server advised', () => {
    connected();
    for (let round = 0; round < 20; round++) {
      around.last.cut();
      const before = around.sockets.length;
      around.pass(500);
      expect(around.sockets.length).toBe(before + 1);
    }
    expect(client.snapshot.stats.reconnectAttempts).toBe(20);
  });

  test('a draining server says when to come back', () => {
    connected();
    around.last.say({
      type: 'server_draining',
      data: { reconnect_after_ms: 3000, deadline_ms: 1 },
    });
    around.last.cut(1012);
    around.pass(2_999);
    expect(around.sockets).toHaveLength(1);
    around.pass(1);
    expect(around.sockets).toHaveLength(2);
  });

  test('a refused token is tried again once a minute at most, and at once by connect()', () => {
    client.connect();
    around.last.refuse('auth_failed');
    expect(client.snapshot).toMatchObject({ status: 'error', error: { code: 'auth_failed' } });
    for (let second = 0; second < 600; second++) {
      around.watcher?.onHurry();
      around.pass(1_000);
      if (around.last.isOpen) around.last.refuse('auth_failed');
    }
    expect(around.sockets.length).toBeGreaterThan(1);
    expect(around.sockets.length).toBeLessThanOrEqual(11);
    const before = around.sockets.length;
    client.connect();
    expect(around.sockets).toHaveLength(before + 1);
  });

  test('a superseded client does not come back by itself', () => {
    connected();
    around.last.cut(4409);
    around.pass(3_600_000);
    expect(around.sockets).toHaveLength(1);
    expect(client.snapshot).toMatchObject({ status: 'error', error: { code: 'superseded' } });
  });

  test('it gives up after maxReconnectAttempts, and connect() begins anew', () => {
    client = new EnhancedClient({ ...config, maxReconnectAttempts: 3 }, around.environment);
    client.connect();
    for (let round = 0; round < 10 && around.last.isOpen; round++) {
      around.last.cut();
      around.pass(10_000);
    }
    expect(around.sockets).toHaveLength(4);
    expect(client.snapshot.status).toBe('error');
    client.connect();
    expect(around.sockets).toHaveLength(5);
  });

  test('the network coming back ends a wait', () => {
    connected();
    around.last.cut();
    around.watcher?.onHurry();
    expect(around.open).toHaveLength(1);
  });

  test('closing leaves no socket and no timer', () => {
    connected();
    client.addCamera('door');
    client.close();
    expect(around.open).toEqual([]);
    expect(around.timers).toBe(0);
    expect(around.watcher).toBeNull();
  });

  test('a server of the original protocol is an error with a code', () => {
    client.connect();
    around.last.say({ type: 'connection_established', data: { client_id: 'x' } });
    expect(client.snapshot.error?.code).toBe('protocol_unsupported');
  });

  test('an asked-for token that cannot be had is tried again', async () => {
    const getToken = () => Promise.reject(new Error('expired'));
    client = new EnhancedClient({ ...config, getToken }, around.environment);
    client.connect();
    around.last.greet();
    await Promise.resolve();
    await Promise.resolve();
    expect(client.snapshot).toMatchObject({
      status: 'reconnecting',
      error: { code: 'token_unavailable' },
    });
  });
});

describe('messages', () => {
  const note = { type: 'error', data: { code: 'x', message: '', retryable: false } };

  test('wait for the connection, up to a bound', () => {
    client.connect();
    const taken = Array.from({ length: 300 }, () => client.send(note));
    expect(taken.filter(Boolean)).toHaveLength(256);
    expect(client.send({ type: 'stream_stop_request', data: { camera_id: 'a' } })).toBe(false);
    around.last.admit();
    expect(around.last.taken('error')).toHaveLength(256);
  });

  test('a handler that throws keeps nothing from the others', () => {
    const heard: string[] = [];
    client.addHandler('flow_update', () => {
      throw new Error('handler');
    });
    client.addHandler('*', ({ type }: { type: string }) => heard.push(type));
    connected();
    around.last.say({ type: 'flow_update', data: {} });
    expect(heard.at(-1)).toBe('flow_update');
    expect(around.reported).toHaveLength(1);
  });

  test('requests reject: without a connection, when it is lost, without an answer', async () => {
    const ask = () => client.request('stream_stop_request', { camera_id: 'door' });
    await expect(ask()).rejects.toMatchObject({ code: 'not_connected', retryable: true });
    connected();
    const lost = ask();
    around.last.cut();
    await expect(lost).rejects.toMatchObject({ code: 'not_connected' });
    around.pass(500);
    around.last.admit();
    const unanswered = ask();
    const keepAlive = setSilent();
    await expect(unanswered).rejects.toMatchObject({ code: 'request_timeout' });
    expect(keepAlive).toBeGreaterThan(0);
  });

  /** Lets time pass for a request to end, in which the server acknowledges heartbeats only. */
  function setSilent(): number {
    let acknowledged = 0;
    for (let ms = 0; ms <= LIMITS.requestTimeoutMs + 2_000; ms += 1_000) {
      around.pass(1_000);
      for (const { request_id } of around.last.taken('heartbeat').slice(acknowledged)) {
        around.last.say({ type: 'heartbeat_ack', request_id, data: {} });
        acknowledged++;
      }
    }
    return acknowledged;
  }
});

type Step =
  | { do: 'store' | 'add' | 'remove'; camera: string }
  | { do: 'read' | 'cut' | 'hurry' | 'wait' }
  | { do: 'send'; count: number };

const camera = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('store' as const), camera }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('add' as const, 'remove' as const), camera }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'wait' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'hurry' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), count: fc.nat(3) }) },
);

test('through any cuts and changes: one socket, every event of a kept camera once and in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const scene = new Scene();
      for (const each of steps) scene.take(each);
      scene.settle();
      scene.check();
    }),
    { numRuns: 500 },
  );
});

/** A client and a hub; camera `kept` is wanted from the start to the end, the others come and go. */
class Scene {
  readonly around = new FakeSurroundings();
  readonly hub = new FakeHub();
  readonly client = new EnhancedClient(config, this.around.environment);
  readonly seen: { id: number; camera: string }[] = [];
  readonly wanted = new Set<string>();
  /** Newest event as a camera was asked for: what is heard of it is newer. */
  readonly #joinedAt = new Map<string, number>();
  /** Events older than the wish for their camera, or without one. */
  readonly unwanted: number[] = [];

  constructor() {
    this.client.addHandler(
      'alert_triggered',
      ({ event_id, data }: { event_id: number; data: { camera_id: string } }) => {
        const { camera_id: camera } = data;
        this.seen.push({ id: event_id, camera });
        if (event_id <= (this.#joinedAt.get(camera) ?? Number.POSITIVE_INFINITY))
          this.unwanted.push(event_id);
      },
    );
    this.hub.store('kept');
    this.#joinedAt.set('kept', 1);
    this.client.addCamera('kept');
    this.client.connect();
    this.settle();
  }

  take(step: Step): void {
    switch (step.do) {
      case 'store':
        this.hub.store(step.camera);
        this.hub.store('kept');
        break;
      case 'add':
        if (this.wanted.has(step.camera)) break;
        this.wanted.add(step.camera);
        this.#joinedAt.set(step.camera, this.hub.events.length);
        this.client.addCamera(step.camera);
        break;
      case 'remove':
        if (!this.wanted.delete(step.camera)) break;
        this.client.removeCamera(step.camera);
        this.#joinedAt.delete(step.camera);
        break;
      case 'send':
        if (this.around.last.isOpen) this.hub.send(this.around.last, step.count);
        break;
      default:
        this.#link(step.do);
    }
    expect(this.around.open.length).toBeLessThanOrEqual(1);
  }

  #link(what: 'read' | 'cut' | 'hurry' | 'wait'): void {
    const { around } = this;
    if (what === 'read' && around.last.isOpen) this.#serve();
    if (what === 'cut' && around.last.isOpen) around.last.cut();
    if (what === 'hurry') around.watcher?.onHurry();
    if (what === 'wait') around.pass(300);
  }

  #serve(): boolean {
    const { last } = this.around;
    if (last.sent.length === 0) last.greet();
    const frame = this.hub.read(last);
    if (frame?.type === 'client_identify') last.admit();
    if (frame?.type === 'heartbeat')
      last.say({ type: 'heartbeat_ack', request_id: frame.request_id, data: {} });
    return frame !== null;
  }

  /** Until the client is connected and has been sent everything. */
  settle(): void {
    for (let round = 0; round < 4; round++) {
      this.around.pass(510);
      if (!this.around.last.isOpen) continue;
      while (this.#serve());
      this.hub.send(this.around.last, Number.POSITIVE_INFINITY);
    }
    expect(this.client.snapshot.status).toBe('connected');
  }

  check(): void {
    expect(this.unwanted).toEqual([]);
    const ids = this.seen.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const kept = this.hub.events.filter((event) => event.camera === 'kept').slice(1);
    expect(this.seen.filter((event) => event.camera === 'kept').map(({ id }) => id)).toEqual(
      kept.map((event) => event.event_id),
    );
    // What is wanted at the end is heard from there on, and nothing else.
    const before = this.seen.length;
    for (const name of ['a', 'b', 'c', 'kept']) this.hub.store(name);
    this.settle();
    expect(new Set(this.seen.slice(before).map((event) => event.camera))).toEqual(
      new Set([...this.wanted, 'kept']),
    );
  }
}
