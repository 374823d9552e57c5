import { randomBytes } from 'node:crypto';

/** Largest RTP payload: fits an Ethernet frame with all headers. */
const MAX_PAYLOAD_BYTES = 1400;
const PAYLOAD_TYPE = 96;
const CLOCK_TICKS_PER_MS = 90;
const FU_A = 28;
const PRE_ROLL_INTERVAL_MS = 100;

/**
 * RTP payloads of one access unit (RFC 6184: single NAL unit packets, and FU-A for long ones).
 * @param {Buffer[]} nalUnits
 */
function* packetize(nalUnits) {
  for (const [index, nal] of nalUnits.entries()) {
    const lastNal = index === nalUnits.length - 1;
    if (nal.length <= MAX_PAYLOAD_BYTES) {
      yield { payload: nal, marker: lastNal };
      continue;
    }
    const header = nal.readUInt8(0);
    for (let start = 1; start < nal.length; start += MAX_PAYLOAD_BYTES) {
      const end = Math.min(start + MAX_PAYLOAD_BYTES, nal.length);
      const startBit = start === 1 ? 0x80 : 0;
      const endBit = end === nal.length ? 0x40 : 0;
      const fuHeader = Buffer.from([(header & 0x60) | FU_A, startBit | endBit | (header & 0x1f)]);
      const payload = Buffer.concat([fuHeader, nal.subarray(start, end)]);
      yield { payload, marker: lastNal && end === nal.length };
    }
  }
}

/**
 * Plays a clip to one client at the clip's own pace, by a monotonic clock; timestamps run on over loops.
 */
export class RtpStream {
  sequence = Math.floor(Math.random() * 60_000);
  /** RTP timestamp of the first packet. */
  timestampBase = Math.floor(Math.random() * 2 ** 31);
  #ssrc = randomBytes(4);
  #timer = null;
  #playing = false;
  #index = 0;
  /** When, by performance.now(), the current round of the clip began. */
  #roundStartedAt = 0;
  #playStartedAt = 0;
  #lastKey = null;

  /**
   * @param {{clip: import('./clip.mjs').Clip, loop: boolean, faults: import('./server.mjs').Faults,
   *   send: (packet: Buffer) => void, end: () => void}} options `end` closes the connection.
   */
  constructor(options) {
    this.clip = options.clip;
    this.loop = options.loop;
    this.faults = options.faults;
    this.send = options.send;
    this.end = options.end;
  }

  /**
   * Starts sending where the clip is at `positionMs`; not at its start: with the next key frame after it, as
   * a client that joins a running camera gets it.
   * @param {number} positionMs Counts on over loops. Below zero the clip has not begun: its first picture is
   *   shown until it does.
   */
  play(positionMs) {
    const now = performance.now();
    this.#playing = true;
    this.#playStartedAt = now;
    if (positionMs < 0) {
      this.#index = 0;
      this.#roundStartedAt = now - positionMs;
      return this.#showFirstPicture();
    }
    const isOver = !this.loop && positionMs >= this.clip.durationMs;
    if (isOver) return this.end();
    const inRound = positionMs % this.clip.durationMs;
    this.#roundStartedAt = now - inRound;
    this.#index = this.clip.units.findIndex((u) => u.key && this.#offset(u.dtsMs) >= inRound);
    if (this.#index < 0) this.#index = this.clip.units.length;
    this.#sendDue();
  }

  stop() {
    this.#playing = false;
    clearTimeout(this.#timer);
  }

  #offset(timeMs) {
    return timeMs - this.clip.units[0].dtsMs;
  }

  #nextRound() {
    this.#index = 0;
    this.#roundStartedAt += this.clip.durationMs;
  }

  #showFirstPicture() {
    const now = performance.now();
    if (!this.#playing) return;
    if (now >= this.#roundStartedAt) return this.#sendDue();
    this.#sendPicture(this.clip.units[0], now);
    this.#timer = setTimeout(() => this.#showFirstPicture(), PRE_ROLL_INTERVAL_MS);
  }

  #sendDue() {
    for (;;) {
      if (!this.#playing) return;
      const now = performance.now();
      const { closeAfterMs } = this.faults;
      if (closeAfterMs > 0 && now - this.#playStartedAt > closeAfterMs) return this.end();
      if (this.#index === this.clip.units.length) {
        if (!this.loop) return this.end();
        this.#nextRound();
      }
      const unit = this.clip.units[this.#index];
      const dueAt = this.#roundStartedAt + this.#offset(unit.dtsMs);
      if (dueAt > now) {
        this.#timer = setTimeout(() => this.#sendDue(), Math.max(1, dueAt - now));
        return;
      }
      this.#sendUnit(unit);
      this.#index++;
    }
  }

  #sendUnit(unit) {
    const frozen = this.faults.frozen && this.#lastKey !== null;
    if (unit.key && !frozen) this.#lastKey = unit;
    if (this.faults.stall) return;
    const picture = frozen ? this.#lastKey : unit;
    this.#sendPicture(
      picture,
      this.#offset(frozen ? unit.dtsMs : unit.ptsMs) + this.#roundStartedAt,
    );
  }

  /** @param {number} timeMs when it is to be shown, by performance.now() */
  #sendPicture(picture, timeMs) {
    const elapsedMs = timeMs - this.#playStartedAt + this.faults.timestampOffsetMs;
    const timestamp = (this.timestampBase + Math.round(elapsedMs * CLOCK_TICKS_PER_MS)) >>> 0;
    const { sps, pps } = this.clip;
    const nalUnits = picture.key ? [sps, pps, ...picture.nalUnits] : picture.nalUnits;
    for (const packet of packetize(nalUnits)) this.#sendPacket(packet, timestamp);
  }

  #sendPacket({ payload, marker }, timestamp) {
    this.sequence = (this.sequence + 1) & 0xffff;
    if (Math.random() < this.faults.dropRate) return;
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = PAYLOAD_TYPE | (marker ? 0x80 : 0);
    header.writeUInt16BE(this.sequence, 2);
    header.writeUInt32BE(timestamp, 4);
    this.#ssrc.copy(header, 8);
    const packet = Buffer.concat([header, payload]);
    if (Math.random() < this.faults.corruptRate) {
      const at = header.length + Math.floor(Math.random() * payload.length);
      packet[at] ^= 0xff;
    }
    this.send(packet);
  }
}
