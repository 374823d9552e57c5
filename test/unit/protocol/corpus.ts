import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { batchItemSchema, isGapItem } from '../../../src/protocol/batch.ts';
import {
  parseClientFrame,
  parseLegacyClientFrame,
  parseLegacyServerFrame,
  parseServerFrame,
} from '../../../src/protocol/codec.ts';
import type { ClientFrame, ServerFrame } from '../../../src/protocol/frames.ts';
import type { LegacyClientFrame, LegacyServerFrame } from '../../../src/protocol/legacy.ts';
import { PAYLOADS } from '../../../src/protocol/payloads.ts';
import type { BroadcastEvent } from '../../../src/protocol/subscription.ts';

export type Version = 'v1' | 'v2';
export type Direction = 'client' | 'server';
/** What becomes of an item of a batch; `newer` and `unknown` are kept as they are. */
export type ItemVerdict = 'message' | 'gap' | 'newer' | 'unknown' | 'invalid' | 'unreadable';

/** One frame as it may come over the wire, and what has to become of it in every version of the program. */
export interface CorpusEntry {
  readonly name: string;
  /** Who sends it. */
  readonly direction: Direction;
  readonly frame?: { readonly type?: string; readonly data?: unknown };
  /** Instead of `frame`, where it is no JSON or needs to be exact. */
  readonly text?: string;
  readonly expect:
    | { readonly ok: true; readonly kind: 'frame' | 'event' }
    | {
        readonly ok: false;
        readonly fault: string;
        readonly type?: string;
        readonly request_id?: string;
      };
  /** Where reading changes something: the result, as far as it is not what was sent. */
  readonly parsed?: object;
  /** Of a `message_batch`. */
  readonly items?: readonly ItemVerdict[];
  /** Of a message of the original protocol: what `fromLegacyMessage` makes of it. */
  readonly delivered?: object;
}

export interface CorpusFile {
  readonly version: Version;
  /** Type of the frame or payload that its entries are about. */
  readonly type: string;
  readonly entries: readonly CorpusEntry[];
}

const folder = fileURLToPath(new URL('../../corpus', import.meta.url));

export const CORPUS: readonly CorpusFile[] = (['v1', 'v2'] as const).flatMap((version) =>
  readdirSync(`${folder}/${version}`).map((file) => ({
    version,
    type: file.replace(/\.json$/, ''),
    entries: JSON.parse(readFileSync(`${folder}/${version}/${file}`, 'utf8')) as CorpusEntry[],
  })),
);

export const RELEASED: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(`${folder}/RELEASED.json`, 'utf8'),
);

export function entriesOf(version: Version, type: string): readonly CorpusEntry[] {
  return CORPUS.find((file) => file.version === version && file.type === type)?.entries ?? [];
}

export function textOf(entry: CorpusEntry): string {
  return entry.text ?? JSON.stringify(entry.frame);
}

type ParsedFrame =
  | ClientFrame
  | ServerFrame
  | BroadcastEvent
  | LegacyClientFrame
  | LegacyServerFrame;

export type Outcome =
  | { readonly ok: true; readonly kind: 'frame' | 'event'; readonly frame: ParsedFrame }
  | {
      readonly ok: false;
      readonly fault: string;
      readonly type?: string;
      readonly request_id?: string;
    };

/** Reads a text as its receiver would. */
export function receive(version: Version, direction: Direction, text: string): Outcome {
  const parse = {
    v1: { client: parseLegacyClientFrame, server: parseLegacyServerFrame },
    v2: { client: parseClientFrame, server: parseServerFrame },
  }[version][direction];
  const result = parse(text);
  if (!result.ok) {
    const { fault, type, requestId } = result;
    return {
      ok: false,
      fault,
      ...(type !== undefined && { type }),
      ...(requestId !== undefined && { request_id: requestId }),
    };
  }
  if ('event' in result) return { ok: true, kind: 'event', frame: result.event };
  return { ok: true, kind: 'frame', frame: result.frame };
}

/** Frames of the corpus that every reader takes. */
export function goodFrames(version: Version, direction: Direction): ParsedFrame[] {
  return CORPUS.filter((file) => file.version === version)
    .flatMap(({ entries }) => entries)
    .filter((entry) => entry.direction === direction && entry.expect.ok)
    .map((entry) => receive(version, direction, textOf(entry)))
    .flatMap((outcome) => (outcome.ok ? [outcome.frame] : []));
}

export function judgeItem(raw: unknown): ItemVerdict {
  const parsed = batchItemSchema.safeParse(raw);
  if (!parsed.success) return 'unreadable';
  if (isGapItem(parsed.data)) return 'gap';
  const { type, schema_version: version, data } = parsed.data;
  const payload = Object.entries(PAYLOADS).find(([known]) => known === type)?.[1];
  if (payload === undefined) return 'unknown';
  if (version > payload.version) return 'newer';
  return payload.schema.safeParse(data).success ? 'message' : 'invalid';
}
