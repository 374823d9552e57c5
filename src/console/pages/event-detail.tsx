import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Alert, Event } from '../../protocol/local-api/history.ts';
import { call, fileAddress } from '../api/client.ts';
import { Severity } from '../parts/badges.tsx';
import { Fact } from '../parts/facts.tsx';
import { Icon } from '../parts/icons.tsx';
import { useMay } from '../parts/session.ts';
import { Failure, Loading } from '../parts/states.tsx';
import { duration, Moment } from '../parts/time.tsx';
import { EventPicture } from './event-picture.tsx';
import type { Review } from './review.ts';

/** Everything that is kept of one event. */
export function EventDetail({ id, ...review }: { readonly id: string } & Review): ReactElement {
  const event = useQuery({
    queryKey: ['event', id],
    queryFn: () => call('GET /api/events/:event_id', { path: { event_id: id } }),
  });
  const alerts = useQuery({
    queryKey: ['alerts', 'of', id],
    queryFn: () => call('GET /api/alerts', { query: { event_id: id } }),
  });
  if (event.error !== null)
    return <Failure error={event.error} onRetry={() => void event.refetch()} />;
  if (event.data === undefined) return <Loading rows={5} />;
  return (
    <section className="detail" aria-label="Event">
      <EventPicture event={event.data} />
      <Facts event={event.data} />
      <Actions event={event.data} {...review} />
      {alerts.data?.alerts.map((alert) => (
        <Fired key={alert.alert_id} alert={alert} />
      ))}
    </section>
  );
}

function Facts({ event }: { readonly event: Event }): ReactElement {
  const { label, camera_id: camera, start_ms: start, end_ms: end, score, zones } = event;
  const { identity, end_reason: ended, model, top_score: top } = event.event;
  return (
    <dl className="facts">
      <Fact name={identity?.name ?? label}>
        {camera}, <Moment ms={start} />, {end === null ? 'goes on' : duration((end - start) / 1000)}
        {ended !== undefined && <span className="quiet"> ({ended})</span>}
      </Fact>
      {identity !== undefined && (
        <Fact name="Face">
          {identity.name}, likeness {identity.confidence.toFixed(2)}, {identity.threat_level}
        </Fact>
      )}
      <Fact name="Score">
        {score.toFixed(2)} median, {top.toFixed(2)} best, {model}
      </Fact>
      {zones.length > 0 && <Fact name="Zones">{zones.join(', ')}</Fact>}
      {event.reviewed_at !== null && (
        <Fact name="Reviewed">
          {event.reviewed_by}, <Moment ms={event.reviewed_at} />
        </Fact>
      )}
    </dl>
  );
}

function Actions({
  event,
  markReviewed,
  setFalsePositive,
  error,
}: { readonly event: Event } & Review): ReactElement | null {
  const isFalse = event.false_positive_at !== null;
  if (!useMay('operator')) return null;
  return (
    <div className="actions">
      <button
        type="button"
        className="button"
        disabled={event.reviewed_at !== null}
        onClick={() => markReviewed([event.event_id])}
      >
        <Icon name="check" /> Reviewed
      </button>
      <button
        type="button"
        className="button"
        aria-pressed={isFalse}
        onClick={() => setFalsePositive(event)}
      >
        {isFalse ? 'It is right after all' : 'False positive'}
      </button>
      {error !== null && error !== undefined && <Failure error={error} />}
    </div>
  );
}

/** Why an alert was raised, in words and in data, with its clip. */
export function Fired({ alert }: { readonly alert: Alert }): ReactElement {
  const { why, ...data } = alert.alert.data;
  return (
    <section className="fired" aria-label="Alert">
      <h2>
        <Severity of={alert.severity} /> {typeof why === 'string' ? why : alert.type}
      </h2>
      <p className="quiet">
        <Moment ms={alert.at_ms} />
        {alert.acknowledged_by !== null && `, acknowledged by ${alert.acknowledged_by}`}
      </p>
      {alert.alert.has_clip === true && (
        // biome-ignore lint/a11y/useMediaCaption: a camera has nothing to say
        <video
          controls
          preload="none"
          src={fileAddress('/api/alerts/:alert_id/clip.mp4', { alert_id: alert.alert_id })}
          poster={fileAddress('/api/alerts/:alert_id/thumbnail.jpg', { alert_id: alert.alert_id })}
        />
      )}
      <details>
        <summary>Data</summary>
        <pre>{JSON.stringify(data, null, 2)}</pre>
      </details>
    </section>
  );
}
