import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HubCounters } from '../../../src/hub/counters.ts';
import { AnswerWatch } from '../../../src/hub/http/answer-watch.ts';
import { ManualClock } from './manual-clock.ts';

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

let clock: ManualClock;
let counters: HubCounters;
let server: Server;
let answer: (response: ServerResponse) => void;
let admitted: number;
let over: number;
let client: Socket;
let watch: AnswerWatch;

beforeEach(async () => {
  clock = new ManualClock();
  counters = new HubCounters();
  admitted = 0;
  over = 0;
  watch = new AnswerWatch({ clock, counters });
  server = createServer((request, response) => {
    if (!watch.admit(request, response)) return;
    admitted++;
    watch.whenOver(response, () => over++);
    answer(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  client.on('error', () => undefined);
});
afterEach(() => {
  client.destroy();
  server.closeAllConnections();
  server.close();
});

test('who does not read an answer within its time is cut off', async () => {
  // More than the buffers of both sockets take.
  answer = (response) => response.end(Buffer.alloc(64 * 1024 * 1024));
  client.write(GET);
  await vi.waitFor(() => expect(admitted).toBe(1));
  clock.advance(59_999);
  expect(counters.answersCut).toBe(0);
  clock.advance(1);
  expect(counters.answersCut).toBe(1);
  const closed = once(client, 'close');
  client.resume();
  await closed;
});

test('a connection may be used for long, by one request after the other', async () => {
  answer = (response) => response.end('read');
  for (let request = 1; request <= 20; request++) {
    client.write(GET);
    const [data] = (await once(client, 'data')) as [Buffer];
    expect(data.toString()).toContain('read');
    clock.advance(10_000);
  }
  await vi.waitFor(() => expect(over).toBe(20));
  expect(admitted).toBe(20);
  expect(counters.answersCut).toBe(0);
});

test('more than eight requests that wait for their answers end the connection', async () => {
  answer = () => undefined;
  const closed = once(client, 'close');
  client.write(GET.repeat(12));
  client.resume();
  await closed;
  expect(admitted).toBe(8);
  expect(counters.answersCut).toBe(1);
  // Those too that waited behind the first.
  await vi.waitFor(() => expect(over).toBe(8));
  clock.advance(60_000);
  expect(counters.answersCut).toBe(1);
});

test('a body that comes drop by drop is cut off, answered or not', async () => {
  for (const isAnswered of [false, true]) {
    const before = counters.answersCut;
    answer = (response) => {
      if (isAnswered) response.end('no');
    };
    const slow = connect((server.address() as AddressInfo).port, '127.0.0.1');
    slow.on('error', () => undefined);
    const seen = admitted;
    slow.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx');
    await vi.waitFor(() => expect(admitted).toBe(seen + 1));
    clock.advance(19_999);
    expect(counters.answersCut).toBe(before);
    clock.advance(1);
    expect(counters.answersCut).toBe(before + 1);
    slow.destroy();
  }
});

test('an exchange that makes progress may take long, for as long as it does', async () => {
  let open: ServerResponse | undefined;
  answer = (response) => {
    open = response;
  };
  client.write('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx');
  await vi.waitFor(() => expect(admitted).toBe(1));
  for (let step = 0; step < 20; step++) {
    clock.advance(15_000);
    if (open !== undefined) watch.progressed(open);
  }
  expect(counters.answersCut).toBe(0);
  clock.advance(20_000);
  expect(counters.answersCut).toBe(1);
});
