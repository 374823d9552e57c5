import type { Environment, SurroundingsWatcher } from './environment.ts';

/** The browser that this runs in. Touches nothing before it is used, so that a server can render with it. */
export const browserEnvironment: Environment = {
  openSocket(url, { onMessage, onClose }) {
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => onMessage(data);
    // A browser tells a script nothing about an error's cause, and `close` follows it.
    socket.onclose = ({ code, reason }) => onClose(code, reason);
    return socket;
  },
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  // Not randomUUID: that exists on https pages only.
  newId: () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join(''),
  report: (error) => reportError(error),
  parseUrl: (text) => new URL(text, location.href),
  watch,
};

function watch({ onHurry, onHidden, onShown }: SurroundingsWatcher): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  addEventListener('online', onHurry, { signal });
  addEventListener('offline', onHurry, { signal });
  addEventListener('pagehide', onHidden, { signal });
  addEventListener('pageshow', onShown, { signal });
  const onVisibility = () => {
    if (document.visibilityState === 'visible') onHurry();
  };
  document.addEventListener('visibilitychange', onVisibility, { signal });
  return () => controller.abort();
}
