// A subscriber that costs the load generator next to nothing: a bare socket, and of each event its id and time only.
import { connect } from 'node:net';

const ID = Buffer.from('"event_id":');
const TIME = Buffer.from('"timestamp":');
const ZERO = 0x30;
const NINE = 0x39;

/** @param options {port, token, id, subscription, onEvent(eventId, timestampMs, nowMs), onEnd(text)} */
export class RawViewer {
  #options;
  #socket;
  #rest = Buffer.alloc(0);
  #isOpen = false;
  #resolveReady = () => {};

  constructor(options) {
    this.#options = options;
  }

  /** Resolves once the subscription is confirmed. */
  open() {
    const { port } = this.#options;
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', () => {}); // 'close' follows
    this.#socket.on('close', () => this.#options.onEnd?.());
    this.#socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    return new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
  }

  heartbeat() {
    this.#send('heartbeat', { mono_ms: Math.round(performance.now()) });
  }

  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  close() {
    this.#options.onEnd = undefined;
    this.#socket.destroy();
  }

  #onData(chunk) {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isOpen) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = data;
        return;
      }
      this.#isOpen = true;
      data = data.subarray(end + 4);
    }
    this.#rest = this.#takeFrames(data);
  }

  #takeFrames(data) {
    const now = performance.timeOrigin + performance.now();
    let at = 0;
    while (data.length - at >= 2) {
      const { header, length } = sizesAt(data, at);
      if (data.length - at < header + length) break;
      const begin = at + header;
      if ((data[at] & 0x0f) === 1) this.#onFrame(data, begin, begin + length, now);
      at = begin + length;
    }
    return data.subarray(at);
  }

  #onFrame(data, begin, end, now) {
    const id = data.indexOf(ID, begin);
    if (id >= 0 && id < end)
      this.#options.onEvent(
        numberAt(data, id + ID.length),
        numberAt(data, data.indexOf(TIME, begin) + TIME.length),
        now,
      );
    else this.#onControl(JSON.parse(data.toString('utf8', begin, end)));
  }

  #onControl({ type, data }) {
    const { token, id, subscription } = this.#options;
    if (type === 'connection_established')
      this.#send('client_identify', {
        client_id: id,
        client_type: 'frontend',
        auth: { token },
        protocol: 2,
        capabilities: [],
      });
    else if (type === 'identification_success') this.#send('subscribe', subscription);
    else if (type === 'subscription_success') this.#resolveReady(data);
    else if (type === 'error') throw new Error(`${id}: ${JSON.stringify(data)}`);
  }

  #send(type, data) {
    this.#socket.write(masked(JSON.stringify({ type, timestamp: Date.now(), data })));
  }
}

/** A text frame of a client, under the mask of zeros. */
function masked(text) {
  const body = Buffer.from(text);
  const isShort = body.length < 126;
  const header = Buffer.alloc(isShort ? 6 : 8);
  header[0] = 0x81;
  if (isShort) header[1] = 0x80 | body.length;
  else {
    header[1] = 0x80 | 126;
    header.writeUInt16BE(body.length, 2);
  }
  return Buffer.concat([header, body]);
}

/** Bytes of the header and of the payload; endless while the header is not there. */
function sizesAt(data, at) {
  const length = data[at + 1];
  if (length < 126) return { header: 2, length };
  const header = length === 126 ? 4 : 10;
  if (data.length - at < header) return { header, length: Number.POSITIVE_INFINITY };
  return {
    header,
    length: length === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2)),
  };
}

function numberAt(data, begin) {
  let value = 0;
  for (let at = begin; data[at] >= ZERO && data[at] <= NINE; at++)
    value = value * 10 + data[at] - ZERO;
  return value;
}
