import { beforeEach, describe, expect, test } from 'vitest';
import { completeConfig } from '../../../src/react/config.ts';
import { ConnectionUser } from '../../../src/react/connection-user.ts';
import { SharedConnections } from '../../../src/react/shared-connections.ts';
import { FakeHub, FakeSurroundings } from './fake-hub.ts';

const config = completeConfig({ serverUrl: 'http://hub.example', token: 'secret' });
let around: FakeSurroundings;
let hub: FakeHub;
let connections: SharedConnections;
let heard: number[];

beforeEach(() => {
  around = new FakeSurroundings();
  hub = new FakeHub();
  connections = new SharedConnections(around.environment);
  heard = [];
});

/** A component that keeps what it hears. */
function component(): ConnectionUser {
  const user = new ConnectionUser(connections);
  user.addHandler('alert_triggered', ({ event_id }: { event_id: number }) => heard.push(event_id));
  user.attach(config);
  return user;
}

function admit(storeId = 'store-1'): void {
  around.last.admit(storeId);
  serve();
}

/** The hub answers all that was sent, and sends what is due. */
function serve(): void {
  for (let round = 0; round < 4; round++) {
    around.pass(1);
    while (hub.read(around.last) !== null);
    hub.send(around.last, Number.POSITIVE_INFINITY);
  }
}

function store(count: number): void {
  for (let each = 0; each < count; each++) hub.store('door');
}

function comeBack(storeId?: string): void {
  around.pass(500);
  admit(storeId);
}

/** How a promise stands after all that was to be done at once. */
async function outcomeOf(promise: Promise<void>): Promise<string> {
  const pending = new Promise<string>((resolve) => setImmediate(resolve, 'pending'));
  const settled = promise.then(
    () => 'served',
    (error: { code: string }) => error.code,
  );
  return Promise.race([settled, pending]);
}

describe('a hub whose events ended before what was seen', () => {
  test('is followed from what it has, and the component is told', () => {
    const user = component();
    void user.subscribe('door');
    admit();
    store(10);
    serve();
    around.last.cut();
    hub.restore(4);
    comeBack();
    expect(user.snapshot()).toMatchObject({
      status: 'connected',
      error: { code: 'events_missing', retryable: false },
    });
    expect(user.snapshot().error?.message).toContain('is 4, but 10 was seen here');
    store(3);
    serve();
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 5, 6, 7]);
    around.last.cut();
    comeBack();
    expect(user.snapshot()).toMatchObject({ status: 'connected', error: null });
    store(1);
    serve();
    expect(heard.at(-1)).toBe(8);
  });

  test('is noticed from its first answer, though the wishes changed since', () => {
    const user = component();
    void user.subscribe('door');
    admit();
    store(10);
    serve();
    around.last.cut();
    hub.restore(4);
    around.pass(500);
    around.last.admit();
    void user.subscribe('yard');
    around.pass(1);
    serve();
    store(1);
    serve();
    expect(user.snapshot().error?.code).toBe('events_missing');
    expect(heard.at(-1)).toBe(5);
  });

  test('another database is told too, but not to who had seen nothing of the old one', () => {
    const user = component();
    admit();
    around.last.cut();
    comeBack('store-2');
    expect(user.snapshot().error).toBeNull();
    void user.subscribe('door');
    serve();
    around.last.cut();
    comeBack('store-3');
    expect(user.snapshot().error?.code).toBe('events_missing');
  });
});

describe('the answer to a wish for a camera', () => {
  test('is there once the hub confirmed it, also for the second who wants it', async () => {
    const answer = component().subscribe('door');
    expect(await outcomeOf(answer)).toBe('pending');
    admit();
    expect(await outcomeOf(answer)).toBe('served');
    expect(await outcomeOf(component().subscribe('door'))).toBe('served');
  });

  test('a refusal rejects it and is the error of the components that want the camera', async () => {
    hub.allowed = ['door'];
    const [one, other] = [component(), component()];
    const served = other.subscribe('door');
    const refused = one.subscribe('vault');
    admit();
    expect(await outcomeOf(refused)).toBe('forbidden');
    expect(await outcomeOf(served)).toBe('served');
    expect(one.snapshot()).toMatchObject({ status: 'connected', error: { code: 'forbidden' } });
    expect(other.snapshot()).toMatchObject({ status: 'connected', error: null });
    store(1);
    serve();
    expect(heard).toEqual([1, 1]);
    one.unsubscribe('vault');
    serve();
    expect(one.snapshot().error).toBeNull();
  });

  test('where all is refused, each camera has the hub’s own words', async () => {
    const user = component();
    const refused = user.subscribe('door');
    admitRefusing('the token receives nothing');
    expect(await outcomeOf(refused)).toBe('forbidden');
    expect(user.snapshot().error?.message).toBe('the token receives nothing');
  });

  test('giving the camera up first rejects it', async () => {
    const user = component();
    const answer = user.subscribe('door');
    user.unsubscribe('door');
    expect(await outcomeOf(answer)).toBe('unsubscribed');
  });

  function admitRefusing(message: string): void {
    around.last.admit();
    for (let answered = 0; answered < 2; answered++) {
      around.pass(1);
      const { request_id } = around.last.taken('subscribe')[answered]!;
      const data = { code: 'forbidden', message, retryable: false };
      around.last.say({ type: 'error', request_id, data });
    }
  }
});
