// Clients of the hub's peers, with the same two methods as the hub's: open() and send(done).
import mqtt from 'mqtt';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { detectionResult } from './payload.mjs';

/** Takes the echo of each message for its acknowledgement. */
export class EchoClient {
  #options;
  #body;
  #ws;
  #done = [];

  constructor(options) {
    this.#options = options;
    this.#body = JSON.stringify(detectionResult(options.id));
  }

  async open() {
    this.#ws = new WebSocket(this.#options.url, { perMessageDeflate: false });
    this.#ws.on('message', () => this.#done.shift()());
    await new Promise((resolve, reject) => {
      this.#ws.once('open', resolve);
      this.#ws.once('error', reject);
    });
  }

  send(done) {
    this.#done.push(done);
    this.#ws.send(this.#body);
  }

  close() {
    this.#ws.terminate();
  }
}

/** Emits and waits for the server's acknowledgement callback. */
export class SocketIoClient {
  #options;
  #body;
  #socket;

  constructor(options) {
    this.#options = options;
    this.#body = detectionResult(options.id);
  }

  async open() {
    const options = { transports: ['websocket'], forceNew: true, reconnection: false };
    this.#socket = io(this.#options.url, options);
    await new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('connect_error', reject);
    });
  }

  send(done) {
    this.#socket.emit('ai_detection_result', this.#body, done);
  }

  close() {
    this.#socket.disconnect();
  }
}

/** Publishes with QoS 1 and waits for PUBACK. */
export class MqttClient {
  #options;
  #body;
  #client;

  constructor(options) {
    this.#options = options;
    this.#body = JSON.stringify(detectionResult(options.id));
  }

  async open() {
    const { url, id } = this.#options;
    this.#client = await mqtt.connectAsync(url, { clientId: id, clean: false, reconnectPeriod: 0 });
  }

  send(done) {
    this.#client.publish(`apex/${this.#options.id}`, this.#body, { qos: 1 }, (error) => {
      if (error) throw error;
      done();
    });
  }

  close() {
    this.#client.end(true);
  }
}
