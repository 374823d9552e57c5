import { z } from 'zod';

/** Section `journal`. */
export const journalSchema = z.strictObject({
  retain_mb: z.number().int().min(16).max(1_000_000).default(1024).meta({
    title: 'Room, MB',
    description: 'Above this the oldest events and alerts are deleted, open alerts last.',
  }),
});
