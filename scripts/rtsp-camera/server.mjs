import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { RtspConnection } from './connection.mjs';

/**
 * @typedef {object} Faults Each may be changed while clients play.
 * @property {boolean} stall Sessions stay open and send nothing.
 * @property {boolean} frozen The last key frame is sent again and again, with running timestamps.
 * @property {number} refuse RTSP status that answers every request; 0 answers properly.
 * @property {number} dropRate Share of RTP packets lost, 0..1.
 * @property {number} corruptRate Share of RTP packets with one wrong byte, 0..1.
 * @property {number} closeAfterMs Connections end after playing this long; 0 never.
 * @property {number} delayDescribeMs Wait before DESCRIBE is answered.
 * @property {number} timestampOffsetMs Added to the RTP timestamps from now on.
 *
 * @typedef {object} MountOptions
 * @property {boolean} [loop] Default true; otherwise connections end at the clip's end.
 * @property {boolean} [wallclock] A new client joins where the clip is now, like at a live camera, instead of
 *   at its start.
 * @property {number} [startAtMs] With `wallclock`: Unix time in milliseconds at which the clip was at its start;
 *   default is the time of `addMount`. A camera that is restarted with the same value goes on in mid-clip; while
 *   the time is still to come, the first picture is shown.
 */

/**
 * An RTSP 1.0 camera for tests and the demo: H.264 clips over RTP, interleaved in TCP or by UDP, in TLS
 * where `tls` is given, with Basic or Digest authentication and faults to order.
 */
export class RtspCamera {
  /** @type {Faults} */
  faults = {
    stall: false,
    frozen: false,
    refuse: 0,
    dropRate: 0,
    corruptRate: 0,
    closeAfterMs: 0,
    delayDescribeMs: 0,
    timestampOffsetMs: 0,
  };
  /** @type {import('./authentication.mjs').Credentials | null} */
  auth;
  #mounts = new Map();
  #connections = new Set();
  #server;

  /**
   * @param {{auth?: import('./authentication.mjs').Credentials | null,
   *   tls?: {key: string | Buffer, cert: string | Buffer}}} [options]
   */
  constructor({ auth = null, tls } = {}) {
    this.auth = auth;
    const accept = (socket) => {
      const connection = new RtspConnection(socket, this);
      this.#connections.add(connection);
      socket.on('close', () => this.#connections.delete(connection));
    };
    this.#server = tls ? createTlsServer(tls, accept) : createServer(accept);
  }

  /**
   * Serves `clip` at rtsp://HOST:PORT/NAME.
   * @param {string} name
   * @param {import('./clip.mjs').Clip} clip
   * @param {MountOptions} [options]
   */
  addMount(name, clip, { loop = true, wallclock = false, startAtMs = Date.now() } = {}) {
    const positionMs = () => (wallclock ? Date.now() - startAtMs : 0);
    this.#mounts.set(name, { clip, loop, positionMs });
  }

  /** @param {string} url */
  mountOf(url) {
    return URL.canParse(url) ? this.#mounts.get(new URL(url).pathname.split('/')[1]) : undefined;
  }

  /** Clients that are playing. */
  get clients() {
    return [...this.#connections].filter((connection) => connection.playing).length;
  }

  /**
   * @param {number} [port] 0 takes a free one.
   * @param {string} [host]
   * @returns {Promise<number>} The port.
   */
  async listen(port = 0, host = '127.0.0.1') {
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    return this.#server.address().port;
  }

  /** Cuts every connection; the camera goes on listening. */
  kickAll() {
    for (const connection of this.#connections) connection.close();
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.kickAll();
    await closed;
  }
}
