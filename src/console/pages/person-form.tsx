import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import type { PersonDetail } from '../../protocol/local-api/people.ts';
import { call } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Failure } from '../parts/states.tsx';

export interface PersonFormProps {
  /** Null for somebody new. */
  readonly person: PersonDetail | null;
  readonly onClose: () => void;
  readonly onSaved: (personId: string) => void;
}

const THREATS = ['safe', 'unknown', 'watch_list', 'threat'] as const;

/** What is known of somebody beside the face. */
export function PersonForm({ person, onClose, onSaved }: PersonFormProps): ReactElement {
  const queries = useQueryClient();
  const [facts, setFacts] = useState({
    name: person?.name ?? '',
    role: person?.role ?? '',
    threat_level: person?.threat_level ?? ('safe' as const),
    notes: person?.notes ?? '',
    consent_date: person?.consent_date ?? null,
    expiry_date: person?.expiry_date ?? null,
  });
  const save = useMutation({
    mutationFn: () =>
      person === null
        ? call('POST /api/people', { body: facts })
        : call('PATCH /api/people/:person_id', {
            path: { person_id: person.person_id },
            body: facts,
          }),
    onSuccess: ({ person_id: id }) => onSaved(id),
    onSettled: () => queries.invalidateQueries({ queryKey: ['people'] }),
  });
  const put = (change: Partial<typeof facts>): void => setFacts({ ...facts, ...change });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog title={person === null ? 'Add a person' : `Change ${person.name}`} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label>
          Name
          <input
            required
            maxLength={100}
            value={facts.name}
            onChange={({ target }) => put({ name: target.value })}
          />
        </label>
        <label>
          What they are here
          <input
            maxLength={100}
            value={facts.role}
            onChange={({ target }) => put({ role: target.value })}
          />
        </label>
        <label>
          When they are seen
          <select
            value={facts.threat_level}
            onChange={({ target }) =>
              put({ threat_level: target.value as (typeof THREATS)[number] })
            }
          >
            {THREATS.map((threat) => (
              <option key={threat} value={threat}>
                {threat.replace('_', ' ')}
              </option>
            ))}
          </select>
        </label>
        <label>
          Agreed on
          <input
            type="date"
            value={facts.consent_date ?? ''}
            onChange={({ target }) => put({ consent_date: target.value || null })}
          />
        </label>
        <label>
          Recognised until; forgotten after it
          <input
            type="date"
            value={facts.expiry_date ?? ''}
            onChange={({ target }) => put({ expiry_date: target.value || null })}
          />
        </label>
        <label>
          Notes
          <textarea
            maxLength={2000}
            value={facts.notes}
            onChange={({ target }) => put({ notes: target.value })}
          />
        </label>
        {save.error !== null && <Failure error={save.error} />}
        <button type="submit" className="button button-main" disabled={save.isPending}>
          Save
        </button>
      </form>
    </Dialog>
  );
}
