import { type ReactElement, useState } from 'react';
import type { Event } from '../../protocol/local-api/history.ts';
import { fileAddress } from '../api/client.ts';

/** The best picture of an event with the object in it, and the best face. */
export function EventPicture({ event }: { readonly event: Event }): ReactElement {
  const [isMissing, setMissing] = useState(!event.event.has_snapshot);
  const [hasFace, setHasFace] = useState(event.type === 'person');
  const path = { event_id: event.event_id };
  const box = event.event.snapshot_box;
  if (isMissing) return <p className="state-text">No picture of this event is kept.</p>;
  return (
    <div className="event-pictures">
      <div className="snapshot">
        <img
          src={fileAddress('/api/events/:event_id/snapshot.jpg', path)}
          alt={`${event.label} at ${event.camera_id}`}
          onError={() => setMissing(true)}
        />
        {box !== undefined && (
          <span
            className="snapshot-box"
            style={{
              ...{ left: percent(box.x), top: percent(box.y) },
              ...{ width: percent(box.width), height: percent(box.height) },
            }}
          />
        )}
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

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
