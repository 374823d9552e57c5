import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import type { Alert } from '../../protocol/local-api/history.ts';
import { call } from '../api/client.ts';
import { useStatus } from '../api/queries.ts';
import { useSoundSwitch } from '../parts/alert-sound.ts';
import { Icon } from '../parts/icons.tsx';
import { useMay } from '../parts/session.ts';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { Moment } from '../parts/time.tsx';
import { Fired } from './event-detail.tsx';
import { Choice } from './events-bar.tsx';

const PAGE = 50;

/** Alerts, until somebody takes care of them and after. */
export default function AlertsPage(): ReactElement {
  const search = useSearch();
  const parameters = Object.fromEntries(new URLSearchParams(search));
  const pages = useInfiniteQuery({
    queryKey: ['alerts', 'pages', search],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/alerts', {
        query: { ...parameters, limit: PAGE, ...(pageParam !== null && { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor: next, has_more: hasMore }) => (hasMore ? next : null),
  });
  const alerts = pages.data?.pages.flatMap((page) => page.alerts) ?? [];
  const open = alerts.filter(({ acknowledged_at: at }) => at === null);
  return (
    <>
      <AlertsBar chosen={parameters} open={open} />
      {pages.isLoading && <Loading rows={6} />}
      {pages.error !== null && <Failure error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isSuccess && alerts.length === 0 && (
        <Empty title="No alerts">
          Rules raise them; what is looked for stands in the configuration.
        </Empty>
      )}
      <ul className="alerts" aria-label="Alerts">
        {alerts.map((alert) => (
          <AlertCard key={alert.alert_id} alert={alert} />
        ))}
      </ul>
      {pages.hasNextPage && (
        <button type="button" className="button" onClick={() => void pages.fetchNextPage()}>
          Earlier alerts
        </button>
      )}
    </>
  );
}

function AlertsBar({
  chosen,
  open,
}: {
  readonly chosen: Readonly<Record<string, string>>;
  readonly open: readonly Alert[];
}): ReactElement {
  const { data } = useStatus();
  const [, go] = useLocation();
  const acknowledge = useAcknowledge();
  const mayAcknowledge = useMay('operator');
  const filter = (key: string) => ({
    value: chosen[key] ?? '',
    onChange: (value: string) => {
      const next = new URLSearchParams({ ...chosen, [key]: value });
      if (value === '') next.delete(key);
      go(`/alerts?${next}`);
    },
  });
  return (
    <div className="page-head">
      <h1>Alerts</h1>
      <search className="filters" aria-label="Filters">
        <Choice
          name="Camera"
          options={data?.cameras.map(({ camera_id: id }) => id) ?? []}
          {...filter('cameras')}
        />
        <Choice
          name="Severity"
          options={['critical', 'high', 'medium', 'low']}
          {...filter('severities')}
        />
        <Choice
          name="Acknowledged"
          options={['true', 'false']}
          words={['yes', 'no']}
          {...filter('acknowledged')}
        />
      </search>
      <SoundSwitch />
      {mayAcknowledge && open.length > 1 && (
        <button
          type="button"
          className="button"
          onClick={() => acknowledge.mutate(open.map(({ alert_id: id }) => id))}
        >
          <Icon name="check" /> Acknowledge these {open.length}
        </button>
      )}
    </div>
  );
}

function SoundSwitch(): ReactElement {
  const [isOn, setOn] = useSoundSwitch();
  return (
    <button type="button" className="button" aria-pressed={isOn} onClick={() => setOn(!isOn)}>
      <Icon name="sound" /> Sound {isOn ? 'on' : 'off'}
    </button>
  );
}

function useAcknowledge() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (ids: string[]) => call('POST /api/alerts/acknowledge', { body: { ids } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['alerts'] }),
  });
}

function AlertCard({ alert }: { readonly alert: Alert }): ReactElement {
  const acknowledge = useAcknowledge();
  const isOpen = alert.acknowledged_at === null;
  const mayAcknowledge = useMay('operator');
  return (
    <li className={`alert-card severity-edge-${alert.severity} ${isOpen ? '' : 'is-reviewed'}`}>
      <Fired alert={alert} />
      <p>
        {alert.camera_ids.join(', ') || 'this box'}
        {alert.event_id !== null && (
          <>
            {' · '}
            <Link href={`/events/${encodeURIComponent(alert.event_id)}`}>its event</Link>
          </>
        )}
      </p>
      {alert.notes.map(({ at, by, text }) => (
        <p key={`${at} ${by}`} className="note">
          {text}{' '}
          <span className="quiet">
            {by}, <Moment ms={at} />
          </span>
        </p>
      ))}
      {mayAcknowledge && (
        <div className="actions">
          {isOpen && (
            <button
              type="button"
              className="button button-main"
              disabled={acknowledge.isPending}
              onClick={() => acknowledge.mutate([alert.alert_id])}
            >
              <Icon name="check" /> Acknowledge
            </button>
          )}
          <NoteForm alertId={alert.alert_id} />
        </div>
      )}
      {acknowledge.error !== null && <Failure error={acknowledge.error} />}
    </li>
  );
}

function NoteForm({ alertId }: { readonly alertId: string }): ReactElement {
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const add = useMutation({
    mutationFn: () =>
      call('POST /api/alerts/:alert_id/notes', { path: { alert_id: alertId }, body: { text } }),
    onSuccess: () => setText(''),
    onSettled: () => queries.invalidateQueries({ queryKey: ['alerts'] }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== '') add.mutate();
  };
  return (
    <form className="note-form" onSubmit={submit}>
      <input
        value={text}
        maxLength={2000}
        placeholder="Add a note"
        aria-label="Note"
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={text.trim() === '' || add.isPending}>
        Add
      </button>
      {add.error !== null && <Failure error={add.error} />}
    </form>
  );
}
