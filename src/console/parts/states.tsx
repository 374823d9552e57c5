import type { ReactElement, ReactNode } from 'react';
import { ApiProblem } from '../api/problem.ts';

/** Nothing is here, and why that may be. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}): ReactElement {
  return (
    <div className="state-box">
      <p className="state-title">{title}</p>
      {children !== undefined && <div className="state-text">{children}</div>}
    </div>
  );
}

/** The shape of what is to come. */
export function Loading({ rows = 4 }: { readonly rows?: number }): ReactElement {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={row} className="skeleton-row" />
      ))}
    </div>
  );
}

/** What went wrong and what can be done about it. */
export function Failure({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
}): ReactElement {
  const problem = error instanceof ApiProblem ? error : null;
  return (
    <div className="state-box state-failed" role="alert">
      <p className="state-title">{problem?.message ?? String(error)}</p>
      {problem?.remedy != null && <p className="state-text">{problem.remedy}</p>}
      <p className="state-code">
        {problem?.code ?? 'error'}
        {onRetry !== undefined && (
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        )}
      </p>
    </div>
  );
}
