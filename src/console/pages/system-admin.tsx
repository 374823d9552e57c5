import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactElement, useState } from 'react';
import { call, fileAddress } from '../api/client.ts';
import { Failure, Loading } from '../parts/states.tsx';
import { Moment } from '../parts/time.tsx';

/** What administrators look after. */
export function AdminParts(): ReactElement {
  return (
    <div className="cards">
      <Access />
      <Versions />
      <Audit />
      <Logs />
    </div>
  );
}

const ROLES = ['viewer', 'operator', 'admin'] as const;

function Access(): ReactElement {
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ['access'],
    queryFn: () => call('GET /api/access'),
  });
  const revoke = useMutation({
    mutationFn: (name: string) => call('DELETE /api/access/:name', { path: { name } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['access'] }),
  });
  return (
    <section className="card">
      <h2>Access</h2>
      {error !== null && <Failure error={error} />}
      {data === undefined && error === null && <Loading />}
      <ul className="rows" aria-label="Tokens">
        {data?.tokens.map(({ name, role, cameras, revoked_at: revoked, last_used_at: used }) => (
          <li key={name}>
            <span>
              {name}{' '}
              <span className="quiet">
                {role}
                {cameras !== null && `, ${cameras.join(', ')}`}
              </span>
            </span>
            <span className="quiet">{used === null ? 'never used' : <Moment ms={used} />}</span>
            {revoked === null ? (
              <button
                type="button"
                className="button button-danger"
                onClick={() => revoke.mutate(name)}
              >
                Revoke
              </button>
            ) : (
              <span className="badge">revoked</span>
            )}
          </li>
        ))}
      </ul>
      {revoke.error !== null && <Failure error={revoke.error} />}
      <NewToken />
    </section>
  );
}

function NewToken(): ReactElement {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<(typeof ROLES)[number]>('viewer');
  const create = useMutation({
    mutationFn: () => call('POST /api/access', { body: { name, role } }),
    onSuccess: () => setName(''),
    onSettled: () => queries.invalidateQueries({ queryKey: ['access'] }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form className="note-form" onSubmit={submit}>
      <input
        required
        value={name}
        placeholder="Whose token"
        aria-label="Whose token"
        onChange={({ target }) => setName(target.value)}
      />
      <select
        value={role}
        aria-label="Role"
        onChange={({ target }) => setRole(target.value as (typeof ROLES)[number])}
      >
        {ROLES.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
      <button type="submit" className="button">
        Make a token
      </button>
      {create.data !== undefined && (
        <p className="notice" role="status">
          Token of {create.data.name}, shown this once:{' '}
          <code className="secret">{create.data.token}</code>
        </p>
      )}
      {create.error !== null && <Failure error={create.error} />}
    </form>
  );
}

function Versions(): ReactElement {
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ['versions'],
    queryFn: () => call('GET /api/config/versions'),
  });
  const restore = useMutation({
    mutationFn: (id: string) => call('POST /api/config/versions/:id/restore', { path: { id } }),
    onSettled: () => queries.invalidateQueries(),
  });
  return (
    <section className="card">
      <h2>Earlier configurations</h2>
      {error !== null && <Failure error={error} />}
      {data?.versions.length === 0 && <p className="quiet">Nothing was changed from here yet.</p>}
      <ul className="rows" aria-label="Earlier configurations">
        {data?.versions.map(({ id, saved_at: at, saved_by: by, changed }) => (
          <li key={id}>
            <span>
              <Moment ms={at} /> {by}
              <span className="quiet block">{changed.join(', ')}</span>
            </span>
            <button
              type="button"
              className="button"
              disabled={restore.isPending}
              onClick={() => restore.mutate(id)}
            >
              As before this
            </button>
          </li>
        ))}
      </ul>
      {restore.error !== null && <Failure error={restore.error} />}
      {restore.data !== undefined && restore.data.needs_restart.length > 0 && (
        <p className="notice">From the next start on: {restore.data.needs_restart.join(', ')}</p>
      )}
    </section>
  );
}

function Audit(): ReactElement {
  const { data, error } = useQuery({
    queryKey: ['audit'],
    queryFn: () => call('GET /api/audit', { query: { limit: 50 } }),
  });
  return (
    <section className="card">
      <h2>Who changed what</h2>
      {error !== null && <Failure error={error} />}
      <ul className="rows" aria-label="Audit log">
        {data?.entries.map(({ at, by, action, status }) => (
          <li key={`${at} ${action}`}>
            <span>
              {action} <span className="quiet">{by}</span>
            </span>
            <span className="quiet">
              {status} <Moment ms={at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Logs(): ReactElement {
  const [isOpen, setOpen] = useState(false);
  const { data } = useQuery({
    queryKey: ['logs'],
    queryFn: () => call('GET /api/logs', { query: { lines: 200 } }),
    enabled: isOpen,
    refetchInterval: 5000,
  });
  return (
    <section className="card">
      <h2>Support</h2>
      <p>
        <a className="button" href={fileAddress('/api/support_bundle', {})} download>
          Download the support bundle
        </a>{' '}
        <span className="quiet">Status, metrics, configuration and log, without secrets.</span>
      </p>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>Last lines of the log</summary>
        <pre className="log">{data?.lines.map((line) => JSON.stringify(line)).join('\n')}</pre>
      </details>
    </section>
  );
}
