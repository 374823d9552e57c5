import { HttpProblem } from '../../hub/http/problem.ts';
import { ApexError, type ErrorCode } from '../../system/errors.ts';

/** What can be wrong with a request, beside what the parts of the box find (docs/errors.md). Codes are stable. */
export const API_PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not understood' },
  auth_failed: { status: 401, title: 'A valid token or session is needed' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  csrf_refused: { status: 403, title: 'The request does not come from a page of this box' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This is not answered here in that way' },
  not_yet: { status: 503, title: 'It is still being made' },
  too_large: { status: 413, title: 'The request is too large' },
  unsupported_media_type: { status: 415, title: 'The body is of another type than is taken' },
  range_not_satisfiable: { status: 416, title: 'The file has no such part' },
  too_many_refusals: { status: 429, title: 'Too many wrong tokens' },
  too_many_requests: { status: 429, title: 'Too many requests at once' },
  internal: { status: 500, title: 'The box failed' },
  unavailable: { status: 503, title: 'This cannot be had now' },
} as const;

export type ApiProblemCode = keyof typeof API_PROBLEMS;

export const PROBLEM_TYPE = 'application/problem+json';

export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly remedy?: string;
  readonly problems?: unknown;
}

interface ApiProblemOptions {
  /** What happened this time; nothing that a stranger should not know. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown to answer a request with a problem. */
export class ApiProblem extends Error {
  readonly code: ApiProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly #detail: string | undefined;

  constructor(code: ApiProblemCode, { detail, headers = {} }: ApiProblemOptions = {}) {
    super(detail ?? API_PROBLEMS[code].title);
    this.name = 'ApiProblem';
    this.code = code;
    this.headers = headers;
    this.#detail = detail;
  }

  get details(): ProblemDetails {
    return {
      type: typeOf(this.code),
      ...API_PROBLEMS[this.code],
      code: this.code,
      ...(this.#detail !== undefined && { detail: this.#detail }),
    };
  }
}

/** How a request is answered that failed. */
export interface FailedAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly details: ProblemDetails;
}

const RETRY: Readonly<Record<string, string>> = { 'Retry-After': '1' };

/** How errors of the box's parts are answered; all others are failures of the box. */
const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  JOURNAL_INPUT: 400,
  JOURNAL_BUSY: 503,
  JOURNAL_CLOSED: 503,
  JOURNAL_IO: 503,
  JOURNAL_FULL: 503,
  STORE_UNREADABLE: 503,
  EDGE_STOPPING: 503,
  CAMERA_UNKNOWN: 404,
  CAMERA_DISABLED: 409,
  CAMERA_STOPPED: 409,
  CAMERA_LIMIT: 409,
  CAMERA_ADDRESS_DIFFERS: 409,
  CAMERA_START_TIMEOUT: 504,
  HUB_TOKEN_NAME: 409,
  HUB_TOKEN_UNKNOWN: 404,
  PEOPLE_UNKNOWN: 404,
  PEOPLE_OPTION: 400,
  PEOPLE_PICTURE_UNREADABLE: 422,
  PEOPLE_FACE_REFUSED: 422,
  PEOPLE_EVENT_WITHOUT_FACE: 422,
  PEOPLE_KEY_MISSING: 503,
  PEOPLE_KEY_WRONG: 503,
  PEOPLE_KEY_UNREADABLE: 503,
  PEOPLE_FORGETTING: 503,
  MODEL_NOT_INSTALLED: 503,
  PEOPLE_BUSY: 503,
  PEOPLE_SERVICE_FAILED: 502,
  CONFIG_INVALID: 422,
  CONFIG_NOT_EDITABLE: 422,
  CONFIG_CHANGED: 409,
  CONFIG_READ_ONLY: 409,
  CONFIG_VERSION_UNKNOWN: 404,
  CONFIG_NOT_FOUND: 503,
  CONFIG_UNREADABLE: 503,
};

const BY_STATUS: Readonly<Record<number, ApiProblemCode>> = {
  400: 'invalid_request',
  404: 'not_found',
  411: 'invalid_request',
  413: 'too_large',
  414: 'too_large',
  415: 'unsupported_media_type',
};

/** @param error whatever a handler has thrown */
export function failedAnswer(error: unknown): FailedAnswer {
  if (error instanceof ApiProblem) return error;
  if (error instanceof HttpProblem) return ofDoor(error);
  if (error instanceof ApexError) return explained(error);
  const { statusCode = 500 } = error as { readonly statusCode?: number };
  return new ApiProblem(BY_STATUS[statusCode] ?? 'internal');
}

/** Whether somebody has to look into it. */
export function isFailure({ details }: FailedAnswer): boolean {
  return details.status === 500;
}

/** What the door that the hub has too says of a token. */
function ofDoor({ code, headers, message }: HttpProblem): FailedAnswer {
  const own = Object.hasOwn(API_PROBLEMS, code) ? (code as ApiProblemCode) : 'unavailable';
  return new ApiProblem(own, { headers, detail: message });
}

function explained(error: ApexError): FailedAnswer {
  // Faults of a camera that keep it from starting are the camera's.
  const status = STATUS_OF[error.code] ?? (error.code.startsWith('CAPTURE_') ? 502 : 500);
  const { problems } = error.details;
  return {
    headers: status === 503 ? RETRY : {},
    details: {
      type: typeOf(error.code),
      title: error.message,
      status,
      code: error.code,
      remedy: error.remedy,
      ...(problems !== undefined && { problems }),
    },
  };
}

function typeOf(code: string): string {
  return `urn:apex-edge:problem:${code}`;
}
