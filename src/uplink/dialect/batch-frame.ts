import type { Lane } from '../../protocol/lanes.ts';
import type { OutboxItem } from '../../store/outbox/outbox-rows.ts';

/** Older messages are marked, so that the hub stores them without showing them as live. */
const LIVE_MS = 5_000;

/** This moment, wall and monotonic, in milliseconds. */
export interface Now {
  readonly wallMs: number;
  readonly monoMs: number;
}

export interface BatchFrame {
  readonly requestId: string;
  readonly epoch: string;
  readonly lane: Lane;
  readonly firstSeq: number;
  /** Last number that the items cover. */
  readonly through: number;
  readonly items: readonly OutboxItem[];
  /** The items' monotonic times are of this run of the kernel. */
  readonly isSameBoot: boolean;
}

/**
 * The text of a `message_batch`. Bodies go in as they are stored, without being parsed and written again.
 */
export function batchFrame(batch: BatchFrame, now: Now): string {
  const items = batch.items.map((item) => {
    if (item.kind === 'gap') return JSON.stringify({ seq: item.seq, gap: item.gap });
    const isLive = batch.isSameBoot && now.monoMs - item.monoMs <= LIVE_MS;
    return (
      `{"seq":${item.seq},"message_id":"${item.messageId}","type":${JSON.stringify(item.type)}` +
      `,"schema_version":${item.schemaVersion},"timestamp":${item.wallMs},"mono_ms":${item.monoMs}` +
      `${isLive ? '' : ',"replayed":true'},"data":${item.body}}`
    );
  });
  return (
    `{"type":"message_batch","timestamp":${now.wallMs},"request_id":"${batch.requestId}"` +
    `,"data":{"epoch":"${batch.epoch}","lane":${batch.lane},"first_seq":${batch.firstSeq}` +
    `,"items":[${items.join(',')}]}}`
  );
}
