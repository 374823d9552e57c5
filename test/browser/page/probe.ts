import type { EnhancedWebSocket } from 'apex-edge/react';

export interface PageConfig {
  serverUrl: string;
  token?: string;
  /** Answers of `getToken`, in place of `token`; null is a rejection. The last one is given for ever. */
  tokens?: (string | null)[];
}

/** What the page is made of. */
export interface View {
  config: PageConfig;
  /** One component each. */
  cameras: string[];
  /** The component that fills the probe. */
  isRecording: boolean;
}

/** What the page shows the test, and what the test can do with it. */
export interface Probe {
  /** Event ids in the order that the handler was told them. */
  events: number[];
  /** Subscriptions that the server confirmed. */
  subscriptions: number;
  renders: number;
  hook: EnhancedWebSocket | null;
  change: (change: Partial<View>) => void;
}
