import type { ReactElement } from 'react';
import type { Event } from '../../protocol/local-api/history.ts';
import { fileAddress } from '../api/client.ts';
import { Severity } from '../parts/badges.tsx';
import { useMay } from '../parts/session.ts';
import { duration, Moment } from '../parts/time.tsx';

export interface EventRowProps {
  readonly event: Event;
  readonly isOpen: boolean;
  readonly isMarked: boolean;
  readonly onOpen: () => void;
  readonly onMark: () => void;
}

/** An event in the list. */
export function EventRow({ event, isOpen, isMarked, onOpen, onMark }: EventRowProps): ReactElement {
  const { event_id: id, camera_id: camera, label, start_ms: start, end_ms: end } = event;
  const mayReview = useMay('operator');
  const name = event.event.identity?.name;
  const state = [event.reviewed_at !== null && 'is-reviewed', isOpen && 'is-open'];
  return (
    <div className={['event-row', ...state].filter(Boolean).join(' ')}>
      {mayReview && (
        <input
          type="checkbox"
          checked={isMarked}
          aria-label={`Select ${label} at ${camera}`}
          onChange={onMark}
        />
      )}
      <button type="button" className="event-open" aria-current={isOpen} onClick={onOpen}>
        <img
          src={fileAddress('/api/events/:event_id/thumbnail.jpg', { event_id: id })}
          alt=""
          loading="lazy"
          width={96}
          height={64}
        />
        <span className="event-words">
          <span className="event-what">
            {name ?? label}
            {name !== undefined && <span className="quiet"> {label}</span>}
          </span>
          <span className="quiet">
            {camera}
            {event.zones.length > 0 && `, ${event.zones.join(', ')}`}
          </span>
          <span className="quiet">
            <Moment ms={start} /> {end === null ? 'goes on' : duration((end - start) / 1000)}
          </span>
        </span>
        <span className="event-marks">
          {event.alert_severity !== null && <Severity of={event.alert_severity} />}
          {event.false_positive_at !== null && <span className="badge">false</span>}
        </span>
      </button>
    </div>
  );
}
