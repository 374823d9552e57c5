import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Event } from '../../protocol/local-api/history.ts';
import { call } from '../api/client.ts';

/** What people say of events. */
export interface Review {
  markReviewed(ids: readonly string[]): void;
  setFalsePositive(event: Event): void;
  readonly error: unknown;
}

/** @param onDone what was marked is answered for */
export function useReview(onDone: () => void): Review {
  const queries = useQueryClient();
  const settled = async (): Promise<void> => {
    onDone();
    await queries.invalidateQueries({ queryKey: ['events'] });
    await queries.invalidateQueries({ queryKey: ['event'] });
  };
  const reviewed = useMutation({
    mutationFn: (ids: readonly string[]) =>
      call('POST /api/events/reviewed', { body: { ids: [...ids] } }),
    onSettled: settled,
  });
  const falsePositive = useMutation({
    mutationFn: ({ event_id, false_positive_at: at }: Event) =>
      call('PUT /api/events/:event_id/false_positive', {
        path: { event_id },
        body: { false_positive: at === null },
      }),
    onSettled: settled,
  });
  return {
    markReviewed: (ids) => ids.length > 0 && reviewed.mutate(ids),
    setFalsePositive: (event) => falsePositive.mutate(event),
    error: reviewed.error ?? falsePositive.error,
  };
}
