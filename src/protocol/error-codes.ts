/**
 * Codes of `error` frames that a server sends. `isRetryable`: the same client can succeed later without being
 * changed. `closes`: the connection ends after it.
 */
export const ERROR_CODES = {
  not_json: { isRetryable: false, meaning: 'The text is not JSON.' },
  invalid_frame: {
    isRetryable: false,
    meaning:
      'The frame does not have the form of its type, or is binary where that was not agreed.',
  },
  unknown_type: { isRetryable: false, meaning: 'The server does not know the type; harmless.' },
  frame_too_large: { isRetryable: false, closes: 4413, meaning: 'The frame is over the limit.' },
  not_identified: { isRetryable: false, meaning: '`client_identify` has to come first.' },
  already_identified: { isRetryable: false, meaning: 'A connection identifies itself once.' },
  identify_timeout: {
    isRetryable: true,
    closes: 4408,
    meaning: 'No `client_identify` came in time.',
  },
  auth_failed: {
    isRetryable: false,
    closes: 4401,
    meaning:
      'The token is not known, is not for this `client_type`, or the `client_id` belongs to another token. ' +
      'Not to be tried again before `retry_after_ms`.',
  },
  too_many_sessions: {
    isRetryable: true,
    closes: 1013,
    meaning:
      'As many clients as may be are connected by this token: close some, give each site a token of its own, or ' +
      'raise `hub.limits.sessions_per_token` on the hub.',
  },
  superseded: {
    isRetryable: false,
    closes: 4409,
    meaning:
      'A newer connection of the same `client_id` (for a viewer: and of the same token) took over.',
  },
  epoch_fork: {
    isRetryable: false,
    closes: 1013,
    meaning:
      'Two copies of one client write the same epoch: begin a new epoch for what is not acknowledged.',
  },
  forbidden: {
    isRetryable: false,
    meaning:
      'The `client_type`, or a scope of the token, does not allow it; the message says which. Of a message in a ' +
      'batch: it is kept and shown to nobody.',
  },
  not_supported: { isRetryable: false, meaning: 'The server knows the frame but does not do it.' },
  camera_conflict: {
    isRetryable: false,
    meaning:
      'Two edges have a camera of one id: both are told. The first one keeps it until it no longer announces it.',
  },
  camera_unknown: { isRetryable: false, meaning: 'No edge has the camera of this request.' },
  edge_offline: {
    isRetryable: true,
    meaning:
      'The edge that has the camera is not connected, or was lost before it answered a request.',
  },
  edge_timeout: {
    isRetryable: true,
    meaning: 'The edge did not answer a request in time; what became of it is not known.',
  },
  request_conflict: {
    isRetryable: false,
    meaning: 'Another request was made under this `request_id` not long ago.',
  },
  too_many_requests: {
    isRetryable: true,
    meaning: 'Too many requests of this client, or of all, wait for their answers.',
  },
  flow_violation: {
    isRetryable: false,
    closes: 4429,
    meaning:
      'More than twice the credit was in flight, or too many frames were sent that the server refuses.',
  },
  try_later: { isRetryable: true, closes: 1013, meaning: 'The server cannot keep up.' },
  store_unavailable: {
    isRetryable: true,
    closes: 1013,
    meaning: 'The server cannot write to its disk; nothing of what is unacknowledged is kept.',
  },
} as const satisfies Record<string, ServerError>;

interface ServerError {
  readonly isRetryable: boolean;
  readonly closes?: number;
  readonly meaning: string;
}

type ServerErrorCode = keyof typeof ERROR_CODES;

export function isRetryable(code: string): boolean {
  return Object.hasOwn(ERROR_CODES, code) && ERROR_CODES[code as ServerErrorCode].isRetryable;
}
