import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { useLive } from '../live/live-provider.tsx';
import { useAlertSound } from './alert-sound.ts';
import { Severity } from './badges.tsx';
import { Icon } from './icons.tsx';
import { Moment } from './time.tsx';

/** Alerts that came while the page was open; they stay until somebody puts them away. */
export function Toasts(): ReactElement {
  const { alerts, dismiss } = useLive();
  useAlertSound(alerts[0]?.alertId ?? null);
  return (
    <section className="toasts" aria-label="New alerts" aria-live="polite">
      {alerts.map(({ alertId, severity, cameraId, why, atMs }) => (
        <div key={alertId} className={`toast severity-edge-${severity}`}>
          <Link href="/alerts" className="toast-text">
            <Severity of={severity} /> {cameraId ?? 'this box'}: {why} <Moment ms={atMs} />
          </Link>
          <button
            type="button"
            className="button button-quiet"
            aria-label="Put away"
            onClick={() => dismiss(alertId)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </section>
  );
}
