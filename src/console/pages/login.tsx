import { type FormEvent, type ReactElement, useEffect, useState } from 'react';
import { call } from '../api/client.ts';
import { ApiProblem } from '../api/problem.ts';

/** Asks for a token, which becomes a session of this browser. */
export function Login({ onDone }: { readonly onDone: () => void }): ReactElement {
  const [token, setToken] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    const given = tokenOfAddress();
    if (given !== null) void logIn(given);
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void logIn(token.trim());
  };
  const logIn = async (shown: string): Promise<void> => {
    setAsking(true);
    setFault(null);
    try {
      await call('POST /api/login', { body: { token: shown } });
      onDone();
    } catch (error) {
      const isWrong = error instanceof ApiProblem && error.status === 401;
      setFault(
        isWrong ? 'This token is not known, or no longer good.' : String((error as Error).message),
      );
    } finally {
      setAsking(false);
    }
  };
  return (
    <main className="alone login">
      <h1>apex-edge</h1>
      <form onSubmit={submit}>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          required
          value={token}
          aria-describedby="token-help"
          aria-invalid={fault !== null}
          onChange={(event) => setToken(event.target.value)}
        />
        {fault !== null && (
          <p role="alert" className="field-fault">
            {fault}
          </p>
        )}
        <button type="submit" className="button button-main" disabled={isAsking}>
          {isAsking ? 'Logging in…' : 'Log in'}
        </button>
        <p id="token-help" className="hint">
          The first one is made on the box, and shown once: <code>apex-edge access init</code>
        </p>
      </form>
    </main>
  );
}

/** Of `#token=…`, as the demo gives it: sent to nobody, and gone from the address at once. Null without. */
function tokenOfAddress(): string | null {
  const [, token = null] = /^#token=([\w-]+)$/.exec(location.hash) ?? [];
  if (token !== null) history.replaceState(null, '', location.pathname);
  return token;
}
