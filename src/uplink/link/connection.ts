/**
 * Where the uplink stands: `connecting` while the socket is opened, `connected` until the hub has accepted the
 * token, `authenticated` while messages flow.
 */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'authenticated';

export type ConnectionEvent = 'dial' | 'opened' | 'identified' | 'closed';

const TRANSITIONS: Readonly<
  Record<ConnectionState, Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>>
> = {
  disconnected: { dial: 'connecting' },
  connecting: { opened: 'connected', closed: 'disconnected' },
  connected: { identified: 'authenticated', closed: 'disconnected' },
  authenticated: { closed: 'disconnected' },
};

/** The state after an event, or null where the event cannot happen in this state. */
export function transition(state: ConnectionState, event: ConnectionEvent): ConnectionState | null {
  return TRANSITIONS[state][event] ?? null;
}
