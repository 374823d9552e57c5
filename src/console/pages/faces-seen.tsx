import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import type { Event } from '../../protocol/local-api/history.ts';
import type { PersonDetail } from '../../protocol/local-api/people.ts';
import { call, fileAddress } from '../api/client.ts';
import { Failure } from '../parts/states.tsx';
import { Moment } from '../parts/time.tsx';

const SHOWN = 40;

/** Faces that cameras saw of late: theirs, or taken for theirs and somebody else's. */
export function FacesSeen({ person }: { readonly person: PersonDetail }): ReactElement {
  const queries = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const { data } = useQuery({
    queryKey: ['faces-seen'],
    queryFn: () => call('GET /api/events', { query: { types: 'person', limit: SHOWN } }),
    enabled: isOpen,
  });
  const enrol = useMutation({
    mutationFn: ({ eventId, kind }: { eventId: string; kind: 'positive' | 'negative' }) =>
      call('POST /api/people/:person_id/faces/from_event', {
        path: { person_id: person.person_id },
        body: { event_id: eventId, kind },
      }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['people'] }),
  });
  return (
    <details className="faces-seen" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Faces that were seen</summary>
      <ul className="samples" aria-label="Faces that were seen">
        {data?.events.map((event) => (
          <SeenFace
            key={event.event_id}
            event={event}
            isTheirs={event.person_id === person.person_id}
            onEnrol={(kind) => enrol.mutate({ eventId: event.event_id, kind })}
          />
        ))}
      </ul>
      {enrol.error !== null && <Failure error={enrol.error} />}
    </details>
  );
}

function SeenFace({
  event,
  isTheirs,
  onEnrol,
}: {
  readonly event: Event;
  readonly isTheirs: boolean;
  readonly onEnrol: (kind: 'positive' | 'negative') => void;
}): ReactElement | null {
  const [isThere, setThere] = useState(true);
  if (!isThere) return null;
  return (
    <li>
      <img
        src={fileAddress('/api/events/:event_id/face.jpg', { event_id: event.event_id })}
        alt={`Face at ${event.camera_id}`}
        loading="lazy"
        onError={() => setThere(false)}
      />
      <span className="quiet">
        {event.event.identity?.name ?? 'nobody known'}, <Moment ms={event.start_ms} />
      </span>
      <button
        type="button"
        className="button"
        onClick={() => onEnrol(isTheirs ? 'negative' : 'positive')}
      >
        {isTheirs ? 'Not them' : 'It is them'}
      </button>
    </li>
  );
}
