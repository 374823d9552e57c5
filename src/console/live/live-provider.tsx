import { useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
} from 'react';
import type { Alert } from '../../protocol/local-api/history.ts';
import { type ConnectionStatus, useEnhancedWebSocket } from '../../react/index.ts';
import { call } from '../api/client.ts';

export interface LiveState {
  readonly status: ConnectionStatus;
  /** Of the newest heartbeat, ms. */
  readonly latencyMs: number | null;
  /** What went wrong last; null while nothing is. */
  readonly fault: string | null;
  /** Raised while this page is open, the newest first. */
  readonly alerts: readonly LiveAlert[];
  dismiss(alertId: string): void;
  /** Events that began since the page asked. */
  readonly newEvents: number;
  seenEvents(): void;
}

interface LiveAlert {
  readonly alertId: string;
  readonly severity: Alert['severity'];
  readonly cameraId: string | null;
  readonly type: string;
  readonly why: string;
  readonly atMs: number;
}

const LiveContext = createContext<LiveState | null>(null);
const MOST_TOASTS = 4;

export function useLive(): LiveState {
  const live = useContext(LiveContext);
  if (live === null) throw new Error('outside of the live connection');
  return live;
}

async function ticket(): Promise<string> {
  return (await call('POST /api/live_ticket')).ticket;
}

/** The one connection of the console, by the published hook: the same against a box or a hub. */
export function LiveProvider({ children }: { readonly children: ReactNode }): ReactElement {
  const queries = useQueryClient();
  const { status, stats, error, onMessage, subscribeToCamera } = useEnhancedWebSocket({
    serverUrl: location.origin,
    getToken: ticket,
  });
  const [alerts, setAlerts] = useState<readonly LiveAlert[]>([]);
  const [newEvents, setNewEvents] = useState(0);
  useEffect(() => {
    subscribeToCamera('*').catch(() => undefined);
  }, [subscribeToCamera]);
  useEffect(
    () =>
      onMessage('alert_triggered', ({ data }) => {
        const { alert_id: alertId = '', camera_id: cameraId = null, severity, type } = data;
        const why = typeof data.data.why === 'string' ? data.data.why : type;
        const alert = { alertId, cameraId, severity, type, why, atMs: data.timestamp };
        setAlerts((before) => [alert, ...before].slice(0, MOST_TOASTS));
        void queries.invalidateQueries({ queryKey: ['alerts'] });
      }),
    [onMessage, queries],
  );
  useEffect(
    () =>
      onMessage('object_event', ({ data }) => {
        if (data.phase === 'new') setNewEvents((count) => count + 1);
        else void queries.invalidateQueries({ queryKey: ['event', data.event_id] });
      }),
    [onMessage, queries],
  );
  useEffect(
    () =>
      onMessage('ai_engine_status', () => void queries.invalidateQueries({ queryKey: ['status'] })),
    [onMessage, queries],
  );
  const live: LiveState = {
    status,
    latencyMs: stats.latency,
    fault: status === 'connected' ? null : (error?.message ?? null),
    alerts,
    dismiss: (alertId) =>
      setAlerts((before) => before.filter((alert) => alert.alertId !== alertId)),
    newEvents,
    seenEvents: () => setNewEvents(0),
  };
  return <LiveContext value={live}>{children}</LiveContext>;
}
