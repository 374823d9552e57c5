/** WebSocket close codes of the protocol: RFC 6455 below 4000, the project's own from there on. */
export const CLOSE_CODES = {
  goingAway: 1001,
  policy: 1008,
  restart: 1012,
  tryLater: 1013,
  authFailed: 4401,
  identifyTimeout: 4408,
  superseded: 4409,
  frameTooLarge: 4413,
  flowViolation: 4429,
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

/** For the protocol's reference. */
export const CLOSE_MEANINGS: Readonly<Record<keyof typeof CLOSE_CODES, string>> = {
  goingAway: 'The client ends in good order.',
  policy: 'The client broke a rule that has no code of its own.',
  restart: 'The server restarts; `server_draining` said when to come back.',
  tryLater: 'The server is busy; an `error` with `retry_after_ms` came before.',
  authFailed: 'Not admitted; an `error` with the reason came before.',
  identifyTimeout: 'No `client_identify` came in time.',
  superseded: 'A newer connection of the same client took over. Do not come back by yourself.',
  frameTooLarge: 'A frame was larger than allowed. Send it in smaller parts, or not at all.',
  flowViolation: 'More data than the server’s credit allowed, or a flood of refused frames.',
};
