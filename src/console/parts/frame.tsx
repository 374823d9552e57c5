import { type ReactElement, type ReactNode, useState } from 'react';
import { Link, useRoute } from 'wouter';
import type { Role } from '../../protocol/local-api/route.ts';
import { call } from '../api/client.ts';
import { useLive } from '../live/live-provider.tsx';
import { Icon, type IconName } from './icons.tsx';
import { useMay, useProfile } from './session.ts';
import { Shortcuts } from './shortcuts.tsx';
import { applyTheme, storedTheme, THEMES } from './theme.ts';
import { Toasts } from './toasts.tsx';

interface Destination {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
  readonly role: Role;
}

const DESTINATIONS: readonly Destination[] = [
  { path: '/', name: 'Live', icon: 'live', role: 'viewer' },
  { path: '/events', name: 'Events', icon: 'events', role: 'viewer' },
  { path: '/alerts', name: 'Alerts', icon: 'alerts', role: 'viewer' },
  { path: '/people', name: 'People', icon: 'people', role: 'operator' },
  { path: '/zones', name: 'Zones', icon: 'zones', role: 'admin' },
  { path: '/rules', name: 'Rules', icon: 'rules', role: 'admin' },
  { path: '/system', name: 'System', icon: 'system', role: 'viewer' },
];

/** What is around every page: menu, state of the connection, alerts that come in. */
export function Frame({ children }: { readonly children: ReactNode }): ReactElement {
  const { edge_id: edgeId, name } = useProfile();
  return (
    <div className="frame">
      <a className="skip" href="#page">
        To the page
      </a>
      <header className="top">
        <span className="brand">
          apex-edge <span className="brand-box">{edgeId}</span>
        </span>
        <Connection />
        <ThemeButton />
        <button
          type="button"
          className="button button-quiet"
          onClick={() => void call('POST /api/logout').finally(() => location.reload())}
        >
          <Icon name="logout" /> <span className="wide">Log out {name}</span>
          <span className="narrow sr-only">Log out {name}</span>
        </button>
      </header>
      <nav className="menu" aria-label="Pages">
        {DESTINATIONS.map((each) => (
          <MenuEntry key={each.path} {...each} />
        ))}
      </nav>
      <main id="page" className="page" tabIndex={-1}>
        {children}
      </main>
      <Toasts />
      <Shortcuts />
    </div>
  );
}

function MenuEntry({ path, name, icon, role }: Destination): ReactElement | null {
  const [isHere] = useRoute(path === '/' ? '/' : `${path}/*?`);
  if (!useMay(role)) return null;
  return (
    <Link href={path} className="menu-entry" aria-current={isHere ? 'page' : undefined}>
      <Icon name={icon} />
      <span>{name}</span>
    </Link>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  connected: 'live',
  connecting: 'connecting…',
  reconnecting: 'reconnecting…',
  disconnected: 'not connected',
};

/** What is on the page may be old while this says so. */
function Connection(): ReactElement {
  const { status, latencyMs, fault } = useLive();
  const words = WORDS[status] ?? status;
  return (
    <span className={`connection ${status === 'connected' ? 'is-live' : 'is-stale'}`} role="status">
      <span className="dot" aria-hidden="true" />
      {words}
      {status === 'connected' && latencyMs !== null && (
        <span className="wide quiet"> {Math.round(latencyMs)} ms</span>
      )}
      {fault !== null && <span className="wide quiet"> {fault}</span>}
    </span>
  );
}

function ThemeButton(): ReactElement {
  const [theme, setTheme] = useState(storedTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <button
      type="button"
      className="button button-quiet"
      onClick={() => {
        applyTheme(next);
        setTheme(next);
      }}
    >
      <Icon name="theme" /> <span className="wide">Theme: {theme}</span>
      <span className="narrow sr-only">Theme: {theme}</span>
    </button>
  );
}
