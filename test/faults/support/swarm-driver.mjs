// Many clients of the hub in one process, for the tests in which the hub is what suffers: each speaks the
// protocol over a socket of its own and keeps its messages in memory until they are acknowledged. How long they
// wait before they connect again is decided by the uplink's own code.
//
// Argument: JSON of `DriverOptions` (swarm.ts). Commands come as JSON lines on stdin, answers and events go out
// as JSON lines on stdout. The log is that of edge-driver.mjs with the client's id in front of each line.
import { createHash, randomUUID } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const options = JSON.parse(process.argv[2]);
const load = (path) => import(new URL(path, options.dist));
const { afterProgress, INITIAL_BACKOFF, reconnectDelay } = await load('protocol/reconnection.js');

const TICK_MS = 20;
const HEARTBEAT_MS = 4000;
const BATCH_ITEMS = 64;
/** A client without regard for its credit stops here, or its own memory would be what ends the test. */
const MOST_BUFFERED = 4 * 1024 * 1024;

const record = openSync(options.log, 'a');
let lines = [];
const note = (...fields) => lines.push(`${fields.join(' ')}\n`);
function flush() {
  if (lines.length > 0) writeSync(record, lines.join(''));
  lines = [];
}
const say = (event) => writeSync(1, `${JSON.stringify(event)}\n`);

const filler = 'x'.repeat(options.fillerBytes);
const KINDS = {
  alert: (id, timestamp) => ({
    lane: 0,
    type: 'alert_triggered',
    data: {
      type: 'intrusion',
      camera_id: 'cam-1',
      severity: 'high',
      timestamp,
      data: { id, filler },
    },
  }),
  detection: (id, timestamp) => ({
    lane: 2,
    type: 'ai_detection_result',
    data: {
      camera_id: 'cam-1',
      timestamp,
      detections: [],
      frame_id: 1,
      model: `${id}${filler}`,
    },
  }),
};
const { lane } = KINDS[options.kind]('', 0);

class Client {
  epoch = randomUUID();
  nextSeq = 1;
  /** Unacknowledged, in order; the first `inFlight` of them are sent. */
  queue = [];
  inFlight = 0;
  credit = { credit_messages: 0, credit_bytes: 0 };
  backoff = INITIAL_BACKOFF;
  told = null;
  /** Shows the hub that this is the client that was here last. */
  sessionToken = null;
  isIdentified = false;
  isDraining = false;
  attempts = 0;
  firstAckAt = null;
  owed = 0;
  socket = null;

  constructor(index) {
    this.id = `${options.name}-${index}`;
    this.index = index;
    // Clients do not beat in step.
    this.owed = index / options.count;
  }

  produce() {
    const seq = this.nextSeq++;
    const id = `${options.kind}:${options.seed}-${this.index}-${seq};`;
    const timestamp = Date.now();
    const { type, data } = KINDS[options.kind](id, timestamp);
    const body = JSON.stringify(data);
    const messageId = randomUUID();
    note(this.id, 'issued', id, createHash('sha256').update(body).digest('hex').slice(0, 24));
    note(this.id, 'obligated', id);
    note(this.id, 'sent', this.epoch, lane, seq, messageId);
    const envelope = { seq, message_id: messageId, type, schema_version: 1, timestamp, mono_ms: 0 };
    const text = `${JSON.stringify(envelope).slice(0, -1)},"data":${body}}`;
    this.queue.push({ seq, text, at: performance.now() });
  }

  dial() {
    this.attempts++;
    const socket = new WebSocket(options.url, { perMessageDeflate: false, handshakeTimeout: 2000 });
    this.socket = socket;
    socket.on('unexpected-response', (request, response) => {
      const seconds = Number(response.headers['retry-after']);
      if (seconds >= 0) this.told = seconds * 1000;
      request.destroy();
      socket.terminate();
    });
    // 'close' follows and says what there is to say.
    socket.on('error', () => undefined);
    socket.on('message', (data) => this.onFrame(JSON.parse(String(data))));
    socket.on('close', () => this.onClose());
  }

  send(type, data) {
    this.socket.send(JSON.stringify({ type, timestamp: Date.now(), request_id: type, data }));
  }

  onFrame({ type, data }) {
    if (type === 'connection_established') this.identify();
    else if (type === 'identification_success') this.onIdentified(data);
    else if (type === 'batch_ack') this.onAck(data);
    else if (type === 'flow_update') this.credit = data;
    else if (type === 'resync_required') this.inFlight = 0;
    else if (type === 'server_draining') {
      this.told = data.reconnect_after_ms;
      this.isDraining = true;
    }
    this.pump();
  }

  identify() {
    this.send('client_identify', {
      client_id: this.id,
      client_type: 'ai_engine',
      auth: { token: options.token },
      protocol: 2,
      capabilities: ['batch', 'resume', 'credit'],
      session_token: this.sessionToken,
      resume: { streams: [{ epoch: this.epoch, lane, first_seq: 1, next_seq: this.nextSeq }] },
    });
  }

  onIdentified({ session_token: sessionToken, resume, flow, reconnect }) {
    this.sessionToken = sessionToken;
    this.isIdentified = true;
    this.credit = flow;
    const advice = { baseMs: reconnect.base_ms, capMs: options.capMs ?? reconnect.cap_ms };
    this.backoff = { ...this.backoff, ...advice };
    this.inFlight = 0;
    for (const ack of resume.streams) if (ack.epoch === this.epoch) this.drop(ack.acked_through);
    // Every recovery shows by an acknowledgement.
    if (this.queue.length === 0) this.produce();
  }

  onAck({ acks, flow }) {
    if (flow !== undefined) this.credit = flow;
    for (const ack of acks) if (ack.epoch === this.epoch) this.drop(ack.acked_through);
    this.backoff = afterProgress(this.backoff);
    this.firstAckAt ??= Date.now();
  }

  drop(through) {
    const now = performance.now();
    let count = 0;
    for (; count < this.queue.length && this.queue[count].seq <= through; count++)
      latencies.push(now - this.queue[count].at);
    if (count === 0) return;
    note(this.id, 'acked', this.epoch, lane, through);
    this.queue.splice(0, count);
    this.inFlight = Math.max(0, this.inFlight - count);
  }

  pump() {
    if (!this.isIdentified || this.isDraining || this.socket.readyState !== WebSocket.OPEN) return;
    const window = options.ignoresCredit ? Number.POSITIVE_INFINITY : this.credit.credit_messages;
    while (this.socket.bufferedAmount < MOST_BUFFERED) {
      const most = Math.min(BATCH_ITEMS, window - this.inFlight);
      const items = most > 0 ? this.queue.slice(this.inFlight, this.inFlight + most) : [];
      if (items.length === 0) return;
      const head = { epoch: this.epoch, lane, first_seq: items[0].seq };
      const data = `${JSON.stringify(head).slice(0, -1)},"items":[${items.map(({ text }) => text)}]}`;
      this.socket.send(
        `{"type":"message_batch","timestamp":${Date.now()},"request_id":"b","data":${data}}`,
      );
      this.inFlight += items.length;
    }
  }

  onClose() {
    this.isIdentified = false;
    this.isDraining = false;
    this.inFlight = 0;
    if (isStopping) return;
    const ending = this.told === null ? { kind: 'lost' } : { kind: 'told', delayMs: this.told };
    this.told = null;
    const at = { nowMs: performance.now(), random: Math.random };
    const { delayMs, backoff } = reconnectDelay(this.backoff, ending, at);
    this.backoff = backoff;
    setTimeout(() => this.dial(), delayMs);
  }
}

const clients = Array.from({ length: options.count }, (_, index) => new Client(index));
const latencies = [];
let rate = options.rate;
let isStopping = false;
let last = performance.now();

function tick() {
  const now = performance.now();
  const passed = Math.min(now - last, 1000);
  last = now;
  for (const client of clients) {
    client.owed += (rate * passed) / 1000;
    for (; client.owed >= 1; client.owed--) client.produce();
    client.pump();
  }
  flush();
  setTimeout(tick, TICK_MS);
}

const COMMANDS = {
  rate: ({ perClient }) => {
    rate = perClient;
  },
  status: () => ({
    identified: clients.filter(({ isIdentified }) => isIdentified).length,
    waiting: clients.reduce((sum, { queue }) => sum + queue.length, 0),
    issued: clients.reduce((sum, { nextSeq }) => sum + nextSeq - 1, 0),
    attempts: clients.reduce((sum, { attempts }) => sum + attempts, 0),
    memory: process.memoryUsage().rss,
  }),
  /** From now on the next acknowledgement of each client counts as its first. */
  mark: () => {
    for (const client of clients) client.firstAckAt = null;
  },
  /** Wall times of the first acknowledgements since `mark`, of the clients that had one. */
  firstAcks: () => clients.flatMap(({ firstAckAt }) => firstAckAt ?? []),
  /** Milliseconds from making a message to its acknowledgement, since the last such question. */
  latencies: () => latencies.splice(0),
  stop: () => {
    isStopping = true;
    for (const { socket } of clients) socket?.close(1001);
    flush();
    setImmediate(() => process.exit());
  },
};

say({ event: 'started', pid: process.pid });
for (const client of clients) client.dial();
tick();
setInterval(() => {
  for (const client of clients) if (client.isIdentified) client.send('heartbeat', { mono_ms: 0 });
}, HEARTBEAT_MS);
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, command, ...args } = JSON.parse(line);
  say({ answer: id, result: COMMANDS[command](args) ?? null });
});
