import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { call } from '../api/client.ts';
import type { ChosenFilter } from './events-filter.ts';
import { type Bar, barsOf, dayOf, spanOf } from './timeline-bars.ts';

export interface TimelineProps {
  readonly filter: ChosenFilter;
  readonly onChange: (filter: ChosenFilter) => void;
}

/** How much happened when; a day is chosen by it, and then shown by the hour. */
export function Timeline({ filter, onChange }: TimelineProps): ReactElement | null {
  const { after, before, cameras } = filter;
  const isOneDay = after !== undefined && after === before;
  const span = spanOf(isOneDay ? after : undefined, Date.now());
  const { data } = useQuery({
    queryKey: ['events', 'summary', span.fromMs, span.per, cameras ?? ''],
    queryFn: () =>
      call('GET /api/events/summary', {
        query: {
          ...{ after: String(span.fromMs), before: String(span.toMs), per: span.per },
          offset_min: -new Date().getTimezoneOffset(),
          ...(cameras !== undefined && { cameras }),
        },
      }),
    refetchInterval: 30_000,
  });
  if (data === undefined) return null;
  const bars = barsOf(data.entries, span);
  const most = Math.max(1, ...bars.map(({ events, alerts }) => events + alerts));
  const choose = ({ beginMs }: Bar): void => {
    const { after: _, before: __, ...rest } = filter;
    const day = dayOf(beginMs);
    onChange(isOneDay ? rest : { ...rest, after: day, before: day });
  };
  return (
    <ul className="timeline" aria-label={span.per === 'day' ? 'By day' : 'By hour'}>
      {bars.map((bar) => (
        <li key={bar.beginMs}>
          <TimelineBar {...{ bar, most, per: span.per }} onChoose={() => choose(bar)} />
        </li>
      ))}
    </ul>
  );
}

const day = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
});

function TimelineBar({
  bar: { beginMs, events, alerts },
  most,
  per,
  onChoose,
}: {
  readonly bar: Bar;
  readonly most: number;
  readonly per: 'hour' | 'day';
  readonly onChoose: () => void;
}): ReactElement {
  const when = per === 'day' ? day.format(beginMs) : `${new Date(beginMs).getHours()} h`;
  const words = `${when}: ${events} events, ${alerts} alerts`;
  return (
    <button type="button" className="bar" title={words} aria-label={words} onClick={onChoose}>
      <span className="bar-alerts" style={{ height: `${(100 * alerts) / most}%` }} />
      <span className="bar-events" style={{ height: `${(100 * events) / most}%` }} />
    </button>
  );
}
