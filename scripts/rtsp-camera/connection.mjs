import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { challenge, isAuthorized } from './authentication.mjs';
import { RtpStream } from './rtp-stream.mjs';

const REASONS = {
  200: 'OK',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN';
const INTERLEAVED_MARK = 0x24;
/** A client that reads this much too slowly loses packets instead of filling this process's memory. */
const MAX_UNSENT_BYTES = 4_000_000;

/** One client: its RTSP requests, and the stream that it plays. */
export class RtspConnection {
  #camera;
  #socket;
  #received = Buffer.alloc(0);
  #session = null;
  #udp = null;

  /**
   * @param {import('node:net').Socket} socket
   * @param {import('./server.mjs').RtspCamera} camera
   */
  constructor(socket, camera) {
    this.#socket = socket;
    this.#camera = camera;
    socket.setNoDelay?.(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => this.#endSession());
    socket.on('close', () => this.#endSession());
  }

  get playing() {
    return this.#session?.playing === true;
  }

  close() {
    this.#socket.destroy();
  }

  #endSession() {
    this.#session?.stream.stop();
    this.#session = null;
    this.#udp?.close();
    this.#udp = null;
  }

  #receive(chunk) {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const length =
        this.#received[0] === INTERLEAVED_MARK ? this.#interleavedLength() : this.#handleRequest();
      if (length === null) return;
      this.#received = this.#received.subarray(length);
    }
  }

  /** Receiver reports from the client are skipped. */
  #interleavedLength() {
    if (this.#received.length < 4) return null;
    const length = 4 + this.#received.readUInt16BE(2);
    return this.#received.length < length ? null : length;
  }

  #handleRequest() {
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const request = parseRequest(this.#received.subarray(0, headEnd).toString('latin1'));
    const length = headEnd + 4 + Number(request.headers['content-length'] ?? 0);
    if (this.#received.length < length) return null;
    void this.#answer(request).catch(() => this.close());
    return length;
  }

  async #answer(request) {
    const { auth, faults } = this.#camera;
    if (faults.refuse > 0) return this.#reply(request, faults.refuse);
    if (request.method === 'OPTIONS') return this.#reply(request, 200, { Public: METHODS });
    const authorization = request.headers.authorization ?? '';
    if (auth && !isAuthorized(auth, request.method, authorization)) {
      return this.#reply(request, 401, { 'WWW-Authenticate': challenge(auth) });
    }
    const mount = this.#camera.mountOf(request.url);
    if (!mount) return this.#reply(request, 404);
    if (request.method === 'DESCRIBE') return this.#describe(request, mount);
    if (request.method === 'SETUP') return this.#setup(request, mount);
    if (!this.#session) return this.#reply(request, 454);
    if (request.method === 'PLAY') return this.#play(request, mount);
    this.#reply(request, 200, { Session: this.#session.id });
    if (request.method === 'TEARDOWN') this.#endSession();
  }

  async #describe(request, mount) {
    const { delayDescribeMs } = this.#camera.faults;
    if (delayDescribeMs > 0) await new Promise((resolve) => setTimeout(resolve, delayDescribeMs));
    const { sps, pps } = mount.clip;
    const parameterSets = `${sps.toString('base64')},${pps.toString('base64')}`;
    const profile = sps.subarray(1, 4).toString('hex');
    const description = [
      'v=0',
      'o=- 0 0 IN IP4 127.0.0.1',
      's=camera',
      't=0 0',
      'a=control:*',
      'm=video 0 RTP/AVP 96',
      'c=IN IP4 0.0.0.0',
      'a=rtpmap:96 H264/90000',
      `a=fmtp:96 packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${parameterSets}`,
      'a=control:trackID=0',
      '',
    ].join('\r\n');
    const headers = {
      'Content-Type': 'application/sdp',
      'Content-Base': `${withoutSlash(request.url)}/`,
    };
    this.#reply(request, 200, headers, description);
  }

  async #setup(request, mount) {
    const wanted = request.headers.transport ?? '';
    const transport = /RTP\/AVP\/TCP/.test(wanted)
      ? this.#interleavedTransport(wanted)
      : await this.#udpTransport(wanted);
    if (!transport) return this.#reply(request, 461);
    const stream = new RtpStream({
      clip: mount.clip,
      loop: mount.loop,
      faults: this.#camera.faults,
      send: transport.send,
      end: () => this.#socket.end(),
    });
    this.#session = { id: randomBytes(4).toString('hex'), stream, playing: false };
    const headers = { Transport: transport.header, Session: `${this.#session.id};timeout=60` };
    this.#reply(request, 200, headers);
  }

  #interleavedTransport(wanted) {
    const channel = Number(/interleaved=(\d+)/.exec(wanted)?.[1] ?? 0);
    const send = (packet) => {
      if (this.#socket.destroyed || this.#socket.writableLength > MAX_UNSENT_BYTES) return;
      const length = packet.length;
      this.#socket.write(Buffer.from([INTERLEAVED_MARK, channel, length >> 8, length & 0xff]));
      this.#socket.write(packet);
    };
    const header = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
    return { header, send };
  }

  async #udpTransport(wanted) {
    const clientPort = Number(/client_port=(\d+)/.exec(wanted)?.[1] ?? 0);
    const address = this.#socket.remoteAddress;
    if (clientPort === 0 || address === undefined) return null;
    const udp = createSocket('udp4');
    this.#udp = udp;
    await new Promise((resolve) => udp.bind(0, this.#socket.localAddress, resolve));
    const serverPort = udp.address().port;
    const send = (packet) => udp.send(packet, clientPort, address);
    const ports = `client_port=${clientPort}-${clientPort + 1};server_port=${serverPort}-${serverPort + 1}`;
    return { header: `RTP/AVP;unicast;${ports}`, send };
  }

  #play(request, mount) {
    const { id, stream, playing } = this.#session;
    const track = `url=${withoutSlash(request.url)}/trackID=0`;
    this.#reply(request, 200, {
      Session: id,
      Range: 'npt=0.000-',
      'RTP-Info': `${track};seq=${stream.sequence};rtptime=${stream.timestampBase}`,
    });
    if (playing) return;
    this.#session.playing = true;
    stream.play(mount.positionMs());
  }

  #reply(request, code, headers = {}, body = '') {
    const lines = [`RTSP/1.0 ${code} ${REASONS[code] ?? 'Error'}`, `CSeq: ${request.headers.cseq}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    this.#socket.write([...lines, '', body].join('\r\n'));
  }
}

/** @param {string} head Request line and headers. */
function parseRequest(head) {
  const [requestLine = '', ...lines] = head.split('\r\n');
  const [method = '', url = ''] = requestLine.split(' ');
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { method, url, headers };
}

/** @param {string} url */
function withoutSlash(url) {
  return url.replace(/\/$/, '');
}
