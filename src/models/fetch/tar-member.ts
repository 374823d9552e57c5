/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 (ustar) */
const BLOCK = 512;
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const TYPE = 156;
const PREFIX = [345, 500] as const;
const REGULAR_FILE = ['0', '\0'];

function text(block: Buffer, [from, to]: readonly [number, number]): string {
  const field = block.toString('utf8', from, to);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

interface Entry {
  path: string;
  size: number;
  isFile: boolean;
}

function readHeader(block: Buffer): Entry {
  const prefix = text(block, PREFIX);
  const name = text(block, NAME);
  const size = Number.parseInt(text(block, SIZE).trim() || '0', 8);
  if (!Number.isSafeInteger(size)) throw new Error('the archive is damaged');
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    size,
    isFile: REGULAR_FILE.includes(String.fromCharCode(block[TYPE] ?? 0)),
  };
}

/** Reads a byte stream by counts instead of by the pieces it comes in. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes in pieces, `count` in all. */
  async *take(count: number): AsyncGenerator<Buffer> {
    for (let missing = count; missing > 0; ) {
      if (!(await this.#fill())) throw new Error('the archive ends early');
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      missing -= piece.length;
      yield piece;
    }
  }

  /** The next block; null at the end of the stream. */
  async block(): Promise<Buffer | null> {
    if (!(await this.#fill())) return null;
    const pieces: Buffer[] = [];
    for await (const piece of this.take(BLOCK)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.#rest = next.value;
    }
    return true;
  }
}

/**
 * The content of one file of a tar archive, as it streams by. The archive is read to its end.
 *
 * @param archive uncompressed bytes
 * @throws Error when the archive is damaged, ends early or does not hold the file
 */
export async function* tarMember(
  archive: AsyncIterable<Buffer>,
  path: string,
): AsyncGenerator<Buffer> {
  const reader = new ByteReader(archive);
  let isFound = false;
  // Empty blocks close the archive; they read as an entry of no name and no size.
  for (let block = await reader.block(); block !== null; block = await reader.block()) {
    const entry = readHeader(block);
    const isWanted = entry.isFile && entry.path === path;
    isFound ||= isWanted;
    for await (const piece of reader.take(entry.size)) if (isWanted) yield piece;
    for await (const _ of reader.take((BLOCK - (entry.size % BLOCK)) % BLOCK));
  }
  if (!isFound) throw new Error(`the archive does not hold ${path}`);
}
