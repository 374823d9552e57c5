import type { ReactElement } from 'react';
import { Icon } from './icons.tsx';

const SEVERITY_MARKS = { low: '○', medium: '◐', high: '●', critical: '▲' } as const;

/** A word and a mark of its own: colour alone tells nobody anything. */
export function Severity({ of }: { readonly of: keyof typeof SEVERITY_MARKS }): ReactElement {
  return (
    <span className={`badge severity-${of}`}>
      <span aria-hidden="true">{SEVERITY_MARKS[of]}</span> {of}
    </span>
  );
}

const GOOD = new Set(['streaming', 'authenticated', 'running', 'connected']);
const QUIET = new Set(['stopped', 'finished', 'disabled', 'off']);

export function State({ of }: { readonly of: string }): ReactElement {
  const kind = GOOD.has(of) ? 'good' : QUIET.has(of) ? 'quiet' : 'bad';
  return (
    <span className={`badge state-${kind}`}>
      {kind === 'good' && <Icon name="check" />}
      {kind === 'bad' && <Icon name="alerts" />}
      {of}
    </span>
  );
}
