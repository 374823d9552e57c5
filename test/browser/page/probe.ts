import type { EnhancedWebSocket } from 'apex-edge/react';

/** What the page shows the test, and what the test can do with it. */
export interface Probe {
  /** Event ids in the order that the handler was told them. */
  events: number[];
  /** Subscriptions that the server confirmed. */
  subscriptions: number;
  renders: number;
  hook: EnhancedWebSocket | null;
  setComponents: (isShown: boolean) => void;
}
