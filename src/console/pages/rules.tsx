import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useEffect, useState } from 'react';
import { call } from '../api/client.ts';
import { ApiProblem } from '../api/problem.ts';
import { Icon } from '../parts/icons.tsx';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { RuleEditor } from './rule-editor.tsx';
import { RULE_FIELDS, type Rule } from './rules-form.ts';

type Rules = Readonly<Record<string, Rule>>;

/** What raises alerts. */
export default function RulesPage(): ReactElement {
  const queries = useQueryClient();
  const saved = useQuery({
    queryKey: ['rules'],
    queryFn: () => call('GET /api/rules'),
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [rules, setRules] = useState<Rules>({});
  useEffect(() => {
    if (saved.data !== undefined) setRules(saved.data.rules);
  }, [saved.data]);
  const save = useMutation({
    mutationFn: () =>
      call('PUT /api/rules', {
        body: { rules: { ...rules }, ...(saved.data && { etag: saved.data.etag }) },
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['rules'] }),
  });
  if (saved.error !== null)
    return <Failure error={saved.error} onRetry={() => void saved.refetch()} />;
  if (saved.data === undefined) return <Loading rows={5} />;
  const isChanged = JSON.stringify(rules) !== JSON.stringify(saved.data.rules);
  const put = (name: string, rule: Rule): void => setRules({ ...rules, [name]: rule });
  const remove = (name: string): void => {
    const { [name]: _, ...rest } = rules;
    setRules(rest);
  };
  return (
    <>
      <div className="page-head">
        <h1>Rules</h1>
        <NewRule taken={Object.keys(rules)} onAdd={(name) => put(name, { labels: ['person'] })} />
        <button
          type="button"
          className="button button-main"
          disabled={!isChanged || save.isPending}
          onClick={() => save.mutate()}
        >
          {save.isPending ? 'Saving…' : 'Save'}
        </button>
      </div>
      <Outcome save={save} isChanged={isChanged} onReload={() => void saved.refetch()} />
      {Object.keys(rules).length === 0 && (
        <Empty title="No rules">Without any, alerts are about cameras and this box alone.</Empty>
      )}
      <ul className="rules" aria-label="Rules">
        {Object.entries(rules).map(([name, rule]) => (
          <li key={`${saved.data?.etag} ${name}`} className="card">
            <RuleEditor
              {...{ name, rule }}
              faults={faultsOf(save.error, name)}
              onChange={(next) => put(name, next)}
              onRemove={() => remove(name)}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

/** By key of the rule: what the box says is wrong. */
function faultsOf(error: unknown, name: string): Readonly<Record<string, string>> {
  if (!(error instanceof ApiProblem)) return {};
  const own = error.problems.filter(({ key }) => key.startsWith(`rules.${name}.`));
  return Object.fromEntries(own.map(({ key, message }) => [key.split('.')[2] ?? '', message]));
}

function NewRule({
  taken,
  onAdd,
}: {
  readonly taken: readonly string[];
  readonly onAdd: (name: string) => void;
}): ReactElement {
  const [name, setName] = useState('');
  const isFine = /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name) && !taken.includes(name);
  return (
    <form
      className="note-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isFine) return;
        onAdd(name);
        setName('');
      }}
    >
      <input
        value={name}
        placeholder="name_of_a_rule"
        aria-label="Name of a new rule"
        onChange={({ target }) => setName(target.value)}
      />
      <button type="submit" className="button" disabled={!isFine}>
        <Icon name="plus" /> Add
      </button>
    </form>
  );
}

function Outcome({
  save,
  isChanged,
  onReload,
}: {
  readonly save: {
    readonly error: unknown;
    readonly isSuccess: boolean;
    readonly data: { problems: { message: string }[] } | undefined;
  };
  readonly isChanged: boolean;
  readonly onReload: () => void;
}): ReactElement | null {
  const { error } = save;
  const fields = RULE_FIELDS.map(({ key }) => key);
  if (
    error instanceof ApiProblem &&
    error.problems.some(({ key }) => fields.includes(key.split('.')[2] ?? ''))
  )
    return (
      <p className="field-fault" role="alert">
        Nothing was saved: see the fields below.
      </p>
    );
  if (error !== null) return <Failure error={error} onRetry={onReload} />;
  if (!save.isSuccess || isChanged) return null;
  return (
    <div role="status" className="notice">
      Saved, and in force now.
      {save.data?.problems.map(({ message }) => (
        <p key={message}>{message}</p>
      ))}
    </div>
  );
}
