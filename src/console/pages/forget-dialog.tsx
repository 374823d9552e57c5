import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import type { PersonDetail } from '../../protocol/local-api/people.ts';
import { call } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Failure } from '../parts/states.tsx';

export interface ForgetDialogProps {
  readonly person: PersonDetail;
  readonly onClose: () => void;
  readonly onForgotten: () => void;
}

/** Nothing brings back who was forgotten, so the name has to be typed. */
export function ForgetDialog({ person, onClose, onForgotten }: ForgetDialogProps): ReactElement {
  const queries = useQueryClient();
  const [typed, setTyped] = useState('');
  const forget = useMutation({
    mutationFn: () =>
      call('DELETE /api/people/:person_id', { path: { person_id: person.person_id } }),
    onSuccess: onForgotten,
    onSettled: () => queries.invalidateQueries(),
  });
  return (
    <Dialog title={`Forget ${person.name}`} onClose={onClose}>
      <p>
        Removes the faces and photos of {person.name}, and takes name and id out of every stored
        event, with the pictures and clips that show them. The hub is told to do the same. This
        cannot be undone.
      </p>
      <label className="form-row">
        Type the name to go on
        <input value={typed} autoComplete="off" onChange={({ target }) => setTyped(target.value)} />
      </label>
      {forget.error !== null && <Failure error={forget.error} />}
      <div className="actions">
        <button
          type="button"
          className="button button-danger"
          disabled={typed.trim() !== person.name || forget.isPending}
          onClick={() => forget.mutate()}
        >
          {forget.isPending ? 'Forgetting…' : 'Forget for ever'}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
