import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import { DailyAllowance } from '../evidence/upstream/daily-allowance.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { StateFile } from './state-file.ts';

const NAME = 'evidence-sent.json';
const BYTES_PER_MB = 1e6;

const fileSchema = z.object({
  version: z.literal(1),
  days: z.record(z.iso.date(), z.number().min(0)),
});

/** The file `evidence-sent.json` in the data folder: who restarts the daemon gets no new allowance. */
export async function openAllowance(
  { edge, evidence }: Config,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<DailyAllowance> {
  const { file, state } = await StateFile.open(join(edge.data_dir, NAME), fileSchema, log);
  return new DailyAllowance({
    bytesPerDay: evidence.upstream.daily_mb * BYTES_PER_MB,
    sent: state?.days ?? {},
    clock,
    save: (days) => file.save({ version: 1, days: { ...days } }),
  });
}
