/**
 * The protobuf wire format, as much of it as ONNX files use.
 * https://protobuf.dev/programming-guides/encoding/
 */

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

const INT64 = 64;
const textDecoder = new TextDecoder();
const textEncoder = new TextEncoder();

/** Reads one message. Byte strings come out as views of the input, never as copies. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    // A Buffer's methods differ from those of its base class (`slice` shares memory), so views are plain.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#position;
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** @throws RangeError when the message ends inside the value */
  tag(): { field: number; wireType: number } {
    const tag = this.unsigned();
    return { field: Math.floor(tag / 8), wireType: tag % 8 };
  }

  /** A varint below 2^53: tags and lengths. */
  unsigned(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('varint is too long');
  }

  /** A varint of up to 64 bits, as the signed number that protobuf's int32 and int64 mean. */
  int64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(INT64, value);
    }
    throw new RangeError('varint is too long');
  }

  float(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  /** A view of a length-delimited value. */
  bytes(): Uint8Array {
    const length = this.unsigned();
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    return textDecoder.decode(this.bytes());
  }

  /** Steps over a value that nobody asked for. */
  skip(wireType: number): void {
    if (wireType === WIRE_VARINT) this.int64();
    else if (wireType === WIRE_FIXED64) this.#advance(8);
    else if (wireType === WIRE_BYTES) this.bytes();
    else if (wireType === WIRE_FIXED32) this.#advance(4);
    else throw new RangeError(`wire type ${wireType} is not part of the format`);
  }

  /** The bytes from an earlier position up to here. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#position);
  }

  #byte(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  #advance(count: number): number {
    const start = this.#position;
    if (start + count > this.#bytes.length) throw new RangeError('message ends inside a value');
    this.#position = start + count;
    return start;
  }
}

/** Collects one message as pieces, so that weights are copied once: when the pieces are joined at the end. */
export class WireWriter {
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  tag(field: number, wireType: number): void {
    this.unsigned(field * 8 + wireType);
  }

  unsigned(value: number): void {
    const out: number[] = [];
    let rest = value;
    while (rest >= 128) {
      out.push((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    out.push(rest);
    this.raw(Uint8Array.from(out));
  }

  int64(value: bigint): void {
    const out: number[] = [];
    let rest = BigInt.asUintN(INT64, value);
    while (rest >= 128n) {
      out.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    out.push(Number(rest));
    this.raw(Uint8Array.from(out));
  }

  float(value: number): void {
    this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  double(value: number): void {
    this.raw(new Uint8Array(Float64Array.of(value).buffer));
  }

  bytes(value: Uint8Array): void {
    this.unsigned(value.length);
    this.raw(value);
  }

  string(value: string): void {
    this.bytes(textEncoder.encode(value));
  }

  /** A message inside this one, its length in front. */
  message(inner: WireWriter): void {
    this.unsigned(inner.#size);
    for (const piece of inner.#pieces) this.raw(piece);
  }

  raw(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#size);
    let offset = 0;
    for (const piece of this.#pieces) {
      out.set(piece, offset);
      offset += piece.length;
    }
    return out;
  }
}
