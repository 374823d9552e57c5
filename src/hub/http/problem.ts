/** What can be wrong with a request. `code` is stable; docs/hub-api.md lists them. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not understood' },
  auth_failed: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  origin_not_allowed: { status: 403, title: 'Pages of this origin may not ask' },
  not_found: { status: 404, title: 'There is nothing here' },
  camera_unknown: { status: 404, title: 'No edge has this camera' },
  evidence_unknown: { status: 404, title: 'The edge keeps no such evidence' },
  evidence_requests_off: { status: 403, title: 'The edge sends no evidence on request' },
  method_not_allowed: { status: 405, title: 'Only GET and HEAD are answered here' },
  too_large: { status: 413, title: 'The request is too large' },
  too_many_refusals: { status: 429, title: 'Too many wrong tokens' },
  too_many_queries: { status: 429, title: 'Too many queries of this token are not answered yet' },
  too_many_requests: { status: 429, title: 'Too much evidence is on its way already' },
  evidence_allowance_spent: {
    status: 429,
    title: 'The edge has sent as much evidence today as it may',
  },
  internal: { status: 500, title: 'The hub failed' },
  edge_outdated: { status: 501, title: 'The edge cannot send evidence' },
  edge_failed: { status: 502, title: 'The edge failed' },
  edge_offline: { status: 503, title: 'The edge is not connected' },
  evidence_not_yet: { status: 503, title: 'The clip is still being recorded' },
  edge_timeout: { status: 504, title: 'The edge did not answer in time' },
  try_later: { status: 503, title: 'The hub cannot answer now' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

export interface ProblemOptions {
  /** What happened this time; nothing that a stranger should not know. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown to answer a request with a problem. */
export class HttpProblem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #detail: string | undefined;

  constructor(code: ProblemCode, { detail, headers = {} }: ProblemOptions = {}) {
    super(detail ?? PROBLEMS[code].title);
    this.name = 'HttpProblem';
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.headers = headers;
    this.#detail = detail;
  }

  /** Problem details (RFC 9457); `code` is ours. */
  body(): Record<string, string | number> {
    const { title, status } = PROBLEMS[this.code];
    const detail = this.#detail === undefined ? {} : { detail: this.#detail };
    return {
      type: `urn:apex-edge:problem:${this.code}`,
      title,
      status,
      code: this.code,
      ...detail,
    };
  }
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';
