import { type ReactElement, useState } from 'react';
import type { Event } from '../../protocol/local-api/history.ts';
import { fileAddress } from '../api/client.ts';

/** The best picture of an event, and the best face. */
export function EventPicture({ event }: { readonly event: Event }): ReactElement {
  const [isMissing, setMissing] = useState(!event.event.has_snapshot);
  const [hasFace, setHasFace] = useState(event.type === 'person');
  const path = { event_id: event.event_id };
  if (isMissing) return <p className="state-text">No picture of this event is kept.</p>;
  return (
    <div className="event-pictures">
      <div className="snapshot">
        <img
          src={fileAddress('/api/events/:event_id/snapshot.jpg', path)}
          alt={`${event.label} at ${event.camera_id}`}
          onError={() => setMissing(true)}
        />
      </div>
      {hasFace && (
        <img
          className="face"
          src={fileAddress('/api/events/:event_id/face.jpg', path)}
          alt="Best face of this event"
          onError={() => setHasFace(false)}
        />
      )}
    </div>
  );
}
