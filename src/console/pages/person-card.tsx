import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import type { PersonDetail } from '../../protocol/local-api/people.ts';
import { call, fileAddress, uploadFace } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { useMay } from '../parts/session.ts';
import { Failure, Loading } from '../parts/states.tsx';
import { FacesSeen } from './faces-seen.tsx';
import { ForgetDialog } from './forget-dialog.tsx';
import { jpegOf } from './jpeg-of.ts';
import { PersonForm } from './person-form.tsx';

/** One person, with the faces that they are recognised by. */
export function PersonCard({
  id,
  onClose,
}: {
  readonly id: string;
  readonly onClose: () => void;
}): ReactElement {
  const { data, error, refetch } = useQuery({
    queryKey: ['people', id],
    queryFn: () => call('GET /api/people/:person_id', { path: { person_id: id } }),
  });
  const [part, setPart] = useState<'card' | 'form' | 'forget'>('card');
  if (part === 'form' && data !== undefined)
    return (
      <PersonForm person={data} onClose={() => setPart('card')} onSaved={() => setPart('card')} />
    );
  if (part === 'forget' && data !== undefined)
    return <ForgetDialog person={data} onClose={() => setPart('card')} onForgotten={onClose} />;
  return (
    <Dialog title={data?.name ?? 'Person'} onClose={onClose}>
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <>
          <p className="quiet">
            {[data.role, data.threat_level.replace('_', ' '), data.notes]
              .filter(Boolean)
              .join(' · ')}
          </p>
          <Faces person={data} />
          <AddFace person={data} />
          <FacesSeen person={data} />
          <CardActions onChange={() => setPart('form')} onForget={() => setPart('forget')} />
        </>
      )}
    </Dialog>
  );
}

function CardActions({
  onChange,
  onForget,
}: {
  readonly onChange: () => void;
  readonly onForget: () => void;
}): ReactElement {
  const mayForget = useMay('admin');
  return (
    <div className="actions">
      <button type="button" className="button" onClick={onChange}>
        Change
      </button>
      {mayForget && (
        <button type="button" className="button button-danger" onClick={onForget}>
          <Icon name="trash" /> Forget…
        </button>
      )}
    </div>
  );
}

function Faces({ person }: { readonly person: PersonDetail }): ReactElement {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: (sampleId: string) =>
      call('DELETE /api/people/:person_id/faces/:sample_id', {
        path: { person_id: person.person_id, sample_id: sampleId },
      }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['people'] }),
  });
  if (person.samples.length === 0)
    return <p className="notice">Without a face nobody is recognised.</p>;
  return (
    <ul className="samples" aria-label="Faces">
      {person.samples.map(({ sample_id, kind, has_photo, quality, origin }) => (
        <li key={sample_id}>
          {has_photo ? (
            <img
              src={fileAddress('/api/people/:person_id/faces/:sample_id/photo.jpg', {
                person_id: person.person_id,
                sample_id,
              })}
              alt={`Face from ${origin}`}
            />
          ) : (
            <span className="no-photo">no photo kept</span>
          )}
          <span className="quiet">
            {kind === 'negative' ? 'not them' : `quality ${quality.toFixed(2)}`}
          </span>
          <button
            type="button"
            className="button button-quiet"
            aria-label={`Remove the face from ${origin}`}
            onClick={() => remove.mutate(sample_id)}
          >
            <Icon name="trash" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function AddFace({ person }: { readonly person: PersonDetail }): ReactElement {
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: async (file: File) => uploadFace(person.person_id, await jpegOf(file)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['people'] }),
  });
  return (
    <div>
      <label className="button">
        <Icon name="plus" /> Face from a picture
        <input
          type="file"
          accept="image/*"
          className="sr-only"
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            if (file !== undefined) add.mutate(file);
            target.value = '';
          }}
        />
      </label>
      {add.isPending && <span role="status"> Looking at the picture…</span>}
      {add.data?.sample_id === null && (
        <p className="notice">This very picture is there already.</p>
      )}
      {add.data?.warnings.map(({ kind, other, cosine }) => (
        <p key={kind} className="notice">
          {kind === 'resembles_other'
            ? `This face looks more like ${other?.name} (${cosine.toFixed(2)}).`
            : `This face hardly looks like the others of this person (${cosine.toFixed(2)}).`}
        </p>
      ))}
      {add.error !== null && <Failure error={add.error} />}
    </div>
  );
}
