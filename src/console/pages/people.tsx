import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import type { Person } from '../../protocol/local-api/people.ts';
import { call } from '../api/client.ts';
import { Icon } from '../parts/icons.tsx';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { PersonCard } from './person-card.tsx';
import { PersonForm } from './person-form.tsx';

/** Whom the cameras are to recognise. */
export default function PeoplePage(): ReactElement {
  const [isAdding, setAdding] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const { data, error, refetch, isLoading } = useQuery({
    queryKey: ['people'],
    queryFn: () => call('GET /api/people'),
  });
  return (
    <>
      <div className="page-head">
        <h1>People</h1>
        <button type="button" className="button button-main" onClick={() => setAdding(true)}>
          <Icon name="plus" /> Add a person
        </button>
      </div>
      <p className="hint">
        Names and faces are encrypted on this box and go nowhere else. Cameras compare faces only
        where that is switched on for them.
      </p>
      {isLoading && <Loading />}
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data?.people.length === 0 && (
        <Empty title="Nobody yet">
          Add somebody, and give them a face from a picture or from an event.
        </Empty>
      )}
      <ul className="people" aria-label="People">
        {data?.people.map((person) => (
          <li key={person.person_id}>
            <PersonRow person={person} onOpen={() => setChosen(person.person_id)} />
          </li>
        ))}
      </ul>
      {isAdding && (
        <PersonForm
          person={null}
          onClose={() => setAdding(false)}
          onSaved={(id) => {
            setAdding(false);
            setChosen(id);
          }}
        />
      )}
      {chosen !== null && <PersonCard id={chosen} onClose={() => setChosen(null)} />}
    </>
  );
}

function PersonRow({
  person,
  onOpen,
}: {
  readonly person: Person;
  readonly onOpen: () => void;
}): ReactElement {
  const { name, role, threat_level: threat, positives, expiry_date: expires } = person;
  return (
    <button type="button" className="person-row" onClick={onOpen}>
      <span className="event-what">{name}</span>
      <span className="quiet">{role}</span>
      <span className={`badge threat-${threat}`}>{threat.replace('_', ' ')}</span>
      <span className="quiet">
        {positives === 0 ? 'no face yet' : `${positives} ${positives === 1 ? 'face' : 'faces'}`}
        {expires !== null && `, until ${expires}`}
      </span>
    </button>
  );
}
