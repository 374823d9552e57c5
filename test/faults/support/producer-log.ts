import { readFileSync } from 'node:fs';

/** What the producer and the uplink's side of the store did, over all lives of one edge. */
export interface ProducerRecord {
  /** Hash of every message that was about to be enqueued, by id. */
  readonly issued: ReadonlyMap<string, string>;
  /** Ids whose enqueue returned: the store has promised to keep them. */
  readonly obligated: ReadonlySet<string>;
  readonly refused: ReadonlyMap<string, string>;
  /** Message id by `epoch lane seq`, as read for sending. */
  readonly sent: ReadonlyMap<string, string>;
  /** Highest acknowledged number by `epoch lane`. */
  readonly acked: ReadonlyMap<string, number>;
}

export function streamName(epoch: string, lane: number): string {
  return `${epoch} ${lane}`;
}

/** Reads a log of edge-driver.mjs. A last line that a kill cut off is not counted. */
export function readProducerLog(path: string): ProducerRecord {
  return parseProducerLog(readFileSync(path, 'utf8'));
}

export function parseProducerLog(text: string): ProducerRecord {
  const record = {
    issued: new Map<string, string>(),
    obligated: new Set<string>(),
    refused: new Map<string, string>(),
    sent: new Map<string, string>(),
    acked: new Map<string, number>(),
  };
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, ...fields] = line.split(' ');
    const [a = '', b = '', c = '', d = ''] = fields;
    if (what === 'issued') record.issued.set(a, b);
    else if (what === 'obligated') record.obligated.add(a);
    else if (what === 'refused') record.refused.set(a, b);
    else if (what === 'sent') record.sent.set(`${a} ${b} ${c}`, d);
    else if (what === 'acked') {
      const stream = streamName(a, Number(b));
      record.acked.set(stream, Math.max(record.acked.get(stream) ?? 0, Number(c)));
    }
  }
  return record;
}
