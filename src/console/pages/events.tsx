import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactElement, useCallback, useState } from 'react';
import { useLocation, useRoute, useSearch } from 'wouter';
import { call } from '../api/client.ts';
import { useLive } from '../live/live-provider.tsx';
import { useMay } from '../parts/session.ts';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { WindowedList } from '../parts/windowed-list.tsx';
import { EventDetail } from './event-detail.tsx';
import { EventRow } from './event-row.tsx';
import { EventsBar } from './events-bar.tsx';
import { type ChosenFilter, filterOf, queryOf, searchOf } from './events-filter.ts';
import { useReview } from './review.ts';
import { useReviewKeys } from './review-keys.ts';
import { Timeline } from './timeline.tsx';

const PAGE = 100;
const ROW_PX = 76;

/** Events of the past: found, looked at and reviewed, by keyboard alone where somebody likes. */
export default function EventsPage(): ReactElement {
  const search = useSearch();
  const [, chosen] = useRoute('/events/:id');
  const [, go] = useLocation();
  const filter = filterOf(search);
  const pages = useEventPages(search);
  const { newEvents, seenEvents } = useLive();
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const review = useReview(() => setMarked(new Set()));
  const events = pages.data?.pages.flatMap((page) => page.events) ?? [];
  const openId = chosen === null ? null : decodeURIComponent(chosen.id);
  const selected = events.findIndex(({ event_id: id }) => id === openId);
  const open = (index: number): void => {
    const event = events[Math.max(0, Math.min(events.length - 1, index))];
    const query = searchOf(filter);
    if (event !== undefined)
      go(`/events/${encodeURIComponent(event.event_id)}${query === '' ? '' : `?${query}`}`);
  };
  const mark = (id: string): void =>
    setMarked(
      (before) =>
        new Set(before.has(id) ? [...before].filter((each) => each !== id) : [...before, id]),
    );
  useReviewKeys({ events, selected, open, mark, marked, ...review });
  const onEnd = useCallback(() => {
    if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
  }, [pages]);
  const show = (next: ChosenFilter): void => go(`/events?${searchOf(next)}`);
  const refresh = (): void => {
    seenEvents();
    void pages.refetch();
  };
  return (
    <>
      <EventsBar filter={filter} onChange={show} />
      <Timeline filter={filter} onChange={show} />
      <ReviewBar
        {...{ marked, newEvents, refresh }}
        onReview={() => review.markReviewed([...marked])}
      />
      {pages.error !== null && <Failure error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isLoading && <Loading rows={8} />}
      {pages.isSuccess && events.length === 0 && <NoEvents isFiltered={search !== ''} />}
      <div className="events">
        {events.length > 0 && (
          <WindowedList
            {...{ items: events, rowHeight: ROW_PX, selected, onEnd, label: 'Events' }}
            keyOf={({ event_id: id }) => id}
          >
            {(event, index) => (
              <EventRow
                {...{ event, isOpen: index === selected, isMarked: marked.has(event.event_id) }}
                onOpen={() => open(index)}
                onMark={() => mark(event.event_id)}
              />
            )}
          </WindowedList>
        )}
        {openId !== null && <EventDetail key={openId} id={openId} {...review} />}
      </div>
    </>
  );
}

function useEventPages(search: string) {
  return useInfiniteQuery({
    queryKey: ['events', search],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/events', {
        query: {
          ...queryOf(filterOf(search)),
          limit: PAGE,
          ...(pageParam !== null && { cursor: pageParam }),
        },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor: next, has_more: hasMore }) => (hasMore ? next : null),
    // What is looked at does not move under the eyes.
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

function ReviewBar({
  marked,
  newEvents,
  refresh,
  onReview,
}: {
  readonly marked: ReadonlySet<string>;
  readonly newEvents: number;
  readonly refresh: () => void;
  readonly onReview: () => void;
}): ReactElement {
  const mayReview = useMay('operator');
  return (
    <div className="review-bar">
      {newEvents > 0 && (
        <button type="button" className="button button-main" onClick={refresh}>
          {newEvents} new
        </button>
      )}
      {mayReview && marked.size > 0 && (
        <button type="button" className="button" onClick={onReview}>
          Mark {marked.size} as reviewed
        </button>
      )}
      <span className="hint wide">
        Keys: j and k move, x selects, r reviewed, f false positive, Shift+R all selected
      </span>
    </div>
  );
}

function NoEvents({ isFiltered }: { readonly isFiltered: boolean }): ReactElement {
  return isFiltered ? (
    <Empty title="Nothing found">No event fits all of these filters.</Empty>
  ) : (
    <Empty title="No events yet">They stand here as soon as a camera sees something.</Empty>
  );
}
