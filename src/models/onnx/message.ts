import {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
  WireReader,
  WireWriter,
} from './wire.ts';

/**
 * Messages described by tables: one codec for all of them.
 *
 * `int` is an int32, int64 or enum whose values stay below 2^53; `int64` keeps all 64 bits as a bigint.
 */
type Scalar = 'int' | 'int64' | 'float' | 'double' | 'string' | 'bytes';

interface FieldSpec {
  readonly id: number;
  readonly kind: Scalar | (() => MessageSpec);
  readonly repeated?: boolean;
  /** Written as one length-delimited block. Both forms are read. */
  readonly packed?: boolean;
}

/** Fields by the name they have in the decoded object, in the order they are written in. */
export type MessageSpec = Readonly<Record<string, FieldSpec>>;

/** What every decoded message carries. */
export interface Message {
  /** Fields that the table does not name, tag included: written back as they were. */
  unknown?: Uint8Array[];
}

type Value = unknown;
type Fields = Record<string, Value> & Message;

const SCALAR_WIRE_TYPE: Record<Scalar, number> = {
  int: WIRE_VARINT,
  int64: WIRE_VARINT,
  float: WIRE_FIXED32,
  double: WIRE_FIXED64,
  string: WIRE_BYTES,
  bytes: WIRE_BYTES,
};

interface Prepared {
  readonly name: string;
  readonly spec: FieldSpec;
}

const fieldsById = new WeakMap<MessageSpec, Map<number, Prepared>>();

function indexOf(spec: MessageSpec): Map<number, Prepared> {
  const known = fieldsById.get(spec);
  if (known !== undefined) return known;
  const index = new Map(
    Object.entries(spec).map(([name, field]) => [field.id, { name, spec: field }]),
  );
  fieldsById.set(spec, index);
  return index;
}

function wireTypeOf(field: FieldSpec): number {
  return typeof field.kind === 'string' ? SCALAR_WIRE_TYPE[field.kind] : WIRE_BYTES;
}

function readValue(reader: WireReader, kind: FieldSpec['kind']): Value {
  switch (kind) {
    case 'int':
      return Number(reader.int64());
    case 'int64':
      return reader.int64();
    case 'float':
      return reader.float();
    case 'double':
      return reader.double();
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.bytes();
    default:
      return decodeFields(reader.bytes(), kind());
  }
}

function readPacked(block: Uint8Array, kind: FieldSpec['kind'], into: Value[]): void {
  const reader = new WireReader(block);
  while (!reader.atEnd) into.push(readValue(reader, kind));
}

function readField(reader: WireReader, field: Prepared, wireType: number, out: Fields): void {
  const { name, spec } = field;
  if (spec.repeated !== true) {
    out[name] = readValue(reader, spec.kind);
    return;
  }
  const list = out[name] as Value[];
  if (wireType === WIRE_BYTES && wireTypeOf(spec) !== WIRE_BYTES) {
    readPacked(reader.bytes(), spec.kind, list);
  } else {
    list.push(readValue(reader, spec.kind));
  }
}

function accepts(field: Prepared, wireType: number): boolean {
  const own = wireTypeOf(field.spec);
  return wireType === own || (field.spec.repeated === true && wireType === WIRE_BYTES);
}

function decodeFields(bytes: Uint8Array, spec: MessageSpec): Fields {
  const out: Fields = {};
  for (const [name, field] of Object.entries(spec)) if (field.repeated === true) out[name] = [];
  const index = indexOf(spec);
  const reader = new WireReader(bytes);
  while (!reader.atEnd) {
    const start = reader.position;
    const { field, wireType } = reader.tag();
    const known = index.get(field);
    if (known !== undefined && accepts(known, wireType)) {
      readField(reader, known, wireType, out);
    } else {
      reader.skip(wireType);
      out.unknown ??= [];
      out.unknown.push(reader.since(start));
    }
  }
  return out;
}

/**
 * Decodes a message. Absent fields stay absent (repeated ones are empty lists); byte fields are views of `bytes`.
 *
 * @throws RangeError when the bytes are not such a message
 */
export function decodeMessage<T extends Message>(bytes: Uint8Array, spec: MessageSpec): T {
  return decodeFields(bytes, spec) as T;
}

function writeValue(writer: WireWriter, kind: FieldSpec['kind'], value: Value): void {
  switch (kind) {
    case 'int':
      writer.int64(BigInt(value as number));
      break;
    case 'int64':
      writer.int64(value as bigint);
      break;
    case 'float':
      writer.float(value as number);
      break;
    case 'double':
      writer.double(value as number);
      break;
    case 'string':
      writer.string(value as string);
      break;
    case 'bytes':
      writer.bytes(value as Uint8Array);
      break;
    default:
      writer.message(encodeFields(value as Fields, kind()));
  }
}

function writePacked(writer: WireWriter, field: FieldSpec, list: readonly Value[]): void {
  const block = new WireWriter();
  for (const value of list) writeValue(block, field.kind, value);
  writer.tag(field.id, WIRE_BYTES);
  writer.message(block);
}

function encodeFields(message: Fields, spec: MessageSpec): WireWriter {
  const writer = new WireWriter();
  for (const [name, field] of Object.entries(spec)) {
    const value = message[name];
    if (value === undefined) continue;
    const list = field.repeated === true ? (value as Value[]) : [value];
    if (field.packed === true && list.length > 0) {
      writePacked(writer, field, list);
      continue;
    }
    for (const item of list) {
      writer.tag(field.id, wireTypeOf(field));
      writeValue(writer, field.kind, item);
    }
  }
  for (const unknown of message.unknown ?? []) writer.raw(unknown);
  return writer;
}

export function encodeMessage<T extends Message>(message: T, spec: MessageSpec): Uint8Array {
  return encodeFields(message as unknown as Fields, spec).finish();
}
