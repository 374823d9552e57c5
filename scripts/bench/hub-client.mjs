// A client of the hub that does what the protocol asks and nothing else: it identifies itself, numbers its
// messages within an epoch of its own, keeps to the credit, and takes a message for delivered only once the
// acknowledgement covers its number. Cheap enough that 300 of them leave the hub its share of two cores.
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { uuid7 } from '../../dist/system/uuid7.js';
import { detectionResult } from './payload.mjs';

const BOOT_ID = randomUUID();
/** Lane of detections. */
const LANE = 2;

export class HubClient {
  onEnd = () => {};
  /** Told by the hub: how long to wait before coming back, and how it spreads reconnections. */
  drainAfterMs = null;
  reconnect = null;
  #options;
  #epoch = uuid7(Date.now());
  #idPrefix = uuid7(Date.now()).slice(0, 24);
  #body;
  #ws = null;
  #resolveReady = () => {};
  /** Of the last connection: shows that this is the same client, not a copy of it. */
  #sessionToken = null;
  #nextSeq = 1;
  #ackedThrough = 0;
  #credit = { messages: 0, bytes: 0 };
  #inFlight = { messages: 0, bytes: 0 };
  /** Frames sent and not acknowledged, in order: {lastSeq, messages, bytes, done, text}. */
  #unacked = [];
  #waiting = [];

  /** @param options {url, token, id, frame: messages of one frame, camera: the id where it is not named} */
  constructor(options) {
    this.#options = options;
    this.#body = JSON.stringify(detectionResult(options.camera ?? options.id));
  }

  get acknowledged() {
    return { client_id: this.#options.id, epoch: this.#epoch, through: this.#ackedThrough };
  }

  /** Connects and identifies; what was not acknowledged before is sent again from where the hub says. */
  open() {
    const ws = new WebSocket(this.#options.url, { perMessageDeflate: false });
    this.#ws = ws;
    this.drainAfterMs = null;
    ws.on('message', (data) => this.#onFrame(JSON.parse(data.toString('utf8'))));
    ws.on('error', () => {}); // 'close' follows
    ws.on('close', () => {
      this.#credit = { messages: 0, bytes: 0 };
      this.onEnd();
    });
    return new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
  }

  /**
   * Sends one frame as soon as the credit allows; calls back once all of it is acknowledged.
   * @param timestamp of its messages, Unix milliseconds; when they go out where it is not given
   */
  send(done, timestamp) {
    this.#waiting.push({ done, timestamp });
    this.#pump();
  }

  close() {
    this.onEnd = () => {};
    this.#ws.close();
  }

  #pump() {
    while (this.#waiting.length > 0 && this.#hasCredit()) {
      const entry = this.#newFrame(this.#waiting.shift());
      this.#unacked.push(entry);
      this.#transmit(entry);
    }
  }

  #hasCredit() {
    const { frame } = this.#options;
    const bytes = frame * (this.#body.length + 200);
    return (
      this.#inFlight.messages + frame <= this.#credit.messages &&
      this.#inFlight.bytes + bytes <= this.#credit.bytes
    );
  }

  #transmit(entry) {
    this.#inFlight.messages += entry.messages;
    this.#inFlight.bytes += entry.text.length;
    this.#ws.send(entry.text);
  }

  #newFrame({ done, timestamp: now = Date.now() }) {
    const { frame } = this.#options;
    const firstSeq = this.#nextSeq;
    const items = [];
    for (let index = 0; index < frame; index++) {
      const seq = this.#nextSeq++;
      const id = this.#idPrefix + seq.toString(16).padStart(12, '0');
      items.push(
        `{"seq":${seq},"message_id":"${id}","type":"ai_detection_result","schema_version":1,"timestamp":${now},"mono_ms":${now},"data":${this.#body}}`,
      );
    }
    const text = `{"type":"message_batch","timestamp":${now},"request_id":"b-${firstSeq}","data":{"epoch":"${this.#epoch}","lane":${LANE},"first_seq":${firstSeq},"items":[${items.join(',')}]}}`;
    return { lastSeq: this.#nextSeq - 1, messages: frame, text, done };
  }

  #onFrame({ type, data }) {
    if (type === 'batch_ack') this.#onAck(data);
    else if (type === 'flow_update') this.#setCredit(data);
    else if (type === 'connection_established') this.#identify();
    else if (type === 'identification_success') this.#onIdentified(data);
    else if (type === 'server_draining') this.drainAfterMs = data.reconnect_after_ms;
    else if (type === 'error' || type === 'resync_required')
      throw new Error(`${this.#options.id}: the hub answered ${type} ${JSON.stringify(data)}`);
  }

  #identify() {
    const now = Date.now();
    const stream = { epoch: this.#epoch, lane: LANE, first_seq: 1, next_seq: this.#nextSeq };
    const data = {
      client_id: this.#options.id,
      client_type: 'ai_engine',
      auth: { token: this.#options.token },
      protocol: 2,
      capabilities: ['batch', 'resume', 'credit'],
      boot_id: BOOT_ID,
      session_token: this.#sessionToken,
      clock: { mono_ms: now },
      resume: { streams: [stream] },
    };
    this.#ws.send(JSON.stringify({ type: 'client_identify', timestamp: now, data }));
  }

  #onIdentified({ session_token: sessionToken, resume, flow, reconnect }) {
    this.#sessionToken = sessionToken;
    this.reconnect = reconnect;
    const [stream] = resume.streams;
    this.#inFlight = { messages: 0, bytes: 0 };
    this.#confirm(stream.acked_through);
    for (const entry of this.#unacked) this.#transmit(entry);
    this.#setCredit(flow);
    this.#resolveReady();
  }

  #setCredit({ credit_messages: messages, credit_bytes: bytes }) {
    this.#credit = { messages, bytes };
    this.#pump();
  }

  #onAck({ acks, rejected, flow }) {
    if (rejected.length > 0)
      throw new Error(`${this.#options.id}: the hub rejected ${JSON.stringify(rejected[0])}`);
    for (const { epoch, lane, acked_through } of acks) {
      if (epoch !== this.#epoch || lane !== LANE || acked_through >= this.#nextSeq)
        throw new Error(`${this.#options.id}: acknowledgement of what was never sent`);
      this.#confirm(acked_through, true);
    }
    if (flow !== undefined)
      this.#credit = { messages: flow.credit_messages, bytes: flow.credit_bytes };
    this.#pump();
  }

  #confirm(through, wasInFlight = false) {
    this.#ackedThrough = Math.max(this.#ackedThrough, through);
    while (this.#unacked.length > 0 && this.#unacked[0].lastSeq <= this.#ackedThrough) {
      const { messages, text, done } = this.#unacked.shift();
      if (wasInFlight) {
        this.#inFlight.messages -= messages;
        this.#inFlight.bytes -= text.length;
      }
      done();
    }
  }
}
