// What a disk may hold after a power cut, given the calls that a program made before it (the model of ALICE and
// BOB: usenix.org/conference/osdi14/technical-sessions/presentation/pillai).
//
// Of each file, everything before its last completed fsync is there. Of what came after, any part may be there:
// any subset of the writes, single 512-byte sectors of a write. Names (creation, removal, renaming) come in
// order, and are there for certain after an fsync of the folder.
import { readFileSync } from 'node:fs';

const HEAD_BYTES = 24;
const SECTOR = 512;
const OPERATIONS = [
  '',
  'create',
  'write',
  'sync',
  'truncate',
  'unlink',
  'rename',
  'sync-folder',
  'mark',
];

/** The records of recorder.c: {operation, name, offset, data}. */
export function readRecords(path) {
  const log = readFileSync(path);
  const records = [];
  for (let at = 0; at < log.length; ) {
    const operation = OPERATIONS[log.readUInt32LE(at)];
    const nameBytes = log.readUInt32LE(at + 4);
    const dataBytes = log.readUInt32LE(at + 8);
    const offset = Number(log.readBigUInt64LE(at + 16));
    const nameAt = at + HEAD_BYTES;
    const name = log.toString('utf8', nameAt, nameAt + nameBytes);
    at = nameAt + nameBytes + dataBytes;
    records.push({ operation, name, offset, data: log.subarray(nameAt + nameBytes, at) });
  }
  return records;
}

/** Content of one file: what is certain, and the calls since then whose effect is not. */
class DiskFile {
  #certain = Buffer.alloc(0);
  #size = 0;
  pending = [];

  change(record) {
    this.pending.push(record);
  }

  sync() {
    for (const record of this.pending) this.#apply(record);
    this.pending = [];
  }

  /** The content with the pending calls that `choose` returns, in the order in which it returns them. */
  image(choose) {
    const copy = new DiskFile();
    copy.#certain = Buffer.from(this.#certain.subarray(0, this.#size));
    copy.#size = this.#size;
    for (const record of choose(this.pending)) copy.#apply(record);
    return copy.#certain.subarray(0, copy.#size);
  }

  #apply({ operation, offset, data }) {
    if (operation === 'truncate') {
      if (offset > this.#size) this.#reserve(offset);
      this.#certain.fill(0, offset);
      this.#size = offset;
      return;
    }
    this.#reserve(offset + data.length);
    data.copy(this.#certain, offset);
    this.#size = Math.max(this.#size, offset + data.length);
  }

  #reserve(size) {
    if (size <= this.#certain.length) return;
    const larger = Buffer.alloc(Math.max(size, 2 * this.#certain.length));
    this.#certain.copy(larger);
    this.#certain = larger;
  }
}

/** A folder on a disk, call after call. */
export class Disk {
  /** Files by name as the program sees them, and as they certainly are. */
  #names = new Map();
  #certainNames = new Map();
  #pendingNames = [];

  apply(record) {
    switch (record.operation) {
      case 'create':
        return this.#rename({ kind: 'create', name: record.name, file: new DiskFile() });
      case 'unlink':
        return this.#rename({ kind: 'unlink', name: record.name });
      case 'rename':
        return this.#rename({ kind: 'rename', name: record.name, to: record.data.toString() });
      case 'sync':
        return this.#names.get(record.name)?.sync();
      case 'sync-folder':
        this.#certainNames = new Map(this.#names);
        this.#pendingNames = [];
        return;
      case 'write':
      case 'truncate':
        return this.#names.get(record.name)?.change(record);
    }
  }

  /** Something is not certain: there is more than one state that a power cut may leave. */
  get isUncertain() {
    const files = [...this.#names.values(), ...this.#certainNames.values()];
    return this.#pendingNames.length > 0 || files.some(({ pending }) => pending.length > 0);
  }

  /** Everything that was written, as after a kill of the program alone. */
  everything() {
    return images(this.#names, (pending) => pending);
  }

  /** Only what is certain. */
  certain() {
    return images(this.#certainNames, () => []);
  }

  /** The names as they are, of the contents a random part. */
  part(random) {
    const names = new Map(this.#certainNames);
    const renamed = Math.floor(random() * (this.#pendingNames.length + 1));
    for (const change of this.#pendingNames.slice(0, renamed)) applyName(names, change);
    const share = random();
    return images(names, (pending) => subset(pending, share, random));
  }

  #rename(change) {
    this.#pendingNames.push(change);
    applyName(this.#names, change);
  }
}

function applyName(names, { kind, name, file, to }) {
  if (kind === 'create') names.set(name, file);
  else if (kind === 'rename') names.set(to, names.get(name));
  if (kind === 'unlink' || kind === 'rename') names.delete(name);
}

function images(names, choose) {
  return [...names].map(([name, file]) => ({ name, content: file.image(choose) }));
}

/** A random share of the calls; now and then the chosen write is torn, or two change places. */
function subset(pending, share, random) {
  const chosen = pending.filter(() => random() < share);
  const torn = chosen.flatMap((record) =>
    record.operation === 'write' && random() < 0.2 ? sectorsOf(record, random) : [record],
  );
  if (torn.length > 1 && random() < 0.3) {
    const at = Math.floor(random() * (torn.length - 1));
    [torn[at], torn[at + 1]] = [torn[at + 1], torn[at]];
  }
  return torn;
}

/** Some of the sectors that a write touches, on the disk's own boundaries. */
function sectorsOf({ operation, name, offset, data }, random) {
  const parts = [];
  for (let from = 0; from < data.length; ) {
    const to = Math.min(data.length, from + SECTOR - ((offset + from) % SECTOR));
    if (random() < 0.5)
      parts.push({ operation, name, offset: offset + from, data: data.subarray(from, to) });
    from = to;
  }
  return parts;
}

/** mulberry32. */
export function seeded(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
