/** WebSocket close codes of the protocol: RFC 6455 below 4000, the project's own from there on. */
export const CLOSE_CODES = {
  /** The client ends in good order. */
  goingAway: 1001,
  /** The client broke a rule that has no code of its own. */
  policy: 1008,
  /** The server restarts; `server_draining` said when to come back. */
  restart: 1012,
  /** The server is busy; an `error` with `retry_after_ms` came before. */
  tryLater: 1013,
  authFailed: 4401,
  identifyTimeout: 4408,
  /** A newer session of the same client took over. */
  superseded: 4409,
  frameTooLarge: 4413,
  /** More data than the server's credit allowed. */
  flowViolation: 4429,
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];
