import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useEffect, useReducer, useState } from 'react';
import { call } from '../api/client.ts';
import { useStatus } from '../api/queries.ts';
import { Icon } from '../parts/icons.tsx';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { editStep, NOTHING, nameFault, placesOf, zonesOf } from './zones-edit.ts';
import { PlaceList } from './zones-list.tsx';
import { ZonesPicture } from './zones-picture.tsx';

/** Zones, lines and masks, drawn over the picture of their camera. */
export default function ZonesPage(): ReactElement {
  const { data } = useStatus();
  const [chosen, setChosen] = useState<string | null>(null);
  if (data === undefined) return <Loading rows={6} />;
  const cameras = data.cameras.map(({ camera_id: id }) => id);
  const camera = chosen ?? cameras[0];
  return (
    <>
      <div className="page-head">
        <h1>Zones</h1>
        <label className="choice">
          <span>Camera</span>
          <select value={camera} onChange={({ target }) => setChosen(target.value)}>
            {cameras.map((id) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
      </div>
      {camera === undefined ? (
        <Empty title="No cameras" />
      ) : (
        <Editor key={camera} camera={camera} />
      )}
    </>
  );
}

function Editor({ camera }: { readonly camera: string }): ReactElement {
  const queries = useQueryClient();
  const path = { camera_id: camera };
  const saved = useQuery({
    queryKey: ['zones', camera, 'edit'],
    queryFn: () => call('GET /api/cameras/:camera_id/zones', { path }),
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [state, step] = useReducer(editStep, NOTHING);
  useEffect(() => {
    if (saved.data !== undefined) step({ do: 'load', places: placesOf(saved.data) });
  }, [saved.data]);
  const save = useMutation({
    mutationFn: () =>
      call('PUT /api/cameras/:camera_id/zones', {
        path,
        body: { ...zonesOf(state.places), ...(saved.data && { etag: saved.data.etag }) },
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['zones', camera] }),
  });
  if (saved.error !== null)
    return <Failure error={saved.error} onRetry={() => void saved.refetch()} />;
  if (saved.data === undefined) return <Loading rows={6} />;
  const fault = nameFault(state.places);
  return (
    <div className="zones">
      <ZonesPicture camera={camera} state={state} step={step} />
      <div>
        <PlaceList state={state} step={step} />
        <div className="actions">
          <button
            type="button"
            className="button"
            disabled={state.past.length === 0}
            onClick={() => step({ do: 'undo' })}
          >
            <Icon name="undo" /> Undo
          </button>
          <button
            type="button"
            className="button"
            disabled={state.future.length === 0}
            onClick={() => step({ do: 'redo' })}
          >
            Redo
          </button>
          <button
            type="button"
            className="button button-main"
            disabled={fault !== null || save.isPending || state.past.length === 0}
            onClick={() => save.mutate()}
          >
            {save.isPending ? 'Saving…' : 'Save'}
          </button>
        </div>
        {fault !== null && <p className="field-fault">{fault}</p>}
        <Outcome save={save} onReload={() => void saved.refetch()} />
      </div>
    </div>
  );
}

function Outcome({
  save,
  onReload,
}: {
  readonly save: {
    readonly error: unknown;
    readonly isSuccess: boolean;
    readonly data: { problems: { message: string }[] } | undefined;
  };
  readonly onReload: () => void;
}): ReactElement | null {
  if (save.error !== null) return <Failure error={save.error} onRetry={onReload} />;
  if (!save.isSuccess) return null;
  return (
    <div role="status" className="notice">
      Saved, and in force now.
      {save.data?.problems.map(({ message }) => (
        <p key={message}>{message}</p>
      ))}
    </div>
  );
}
