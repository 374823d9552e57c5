/** A request that failed, as the box tells it (RFC 9457), or because the box could not be reached. */
export class ApiProblem extends Error {
  /** Stable; `unreachable` where nobody answered. */
  readonly code: string;
  readonly status: number;
  readonly remedy: string | null;
  /** Of a configuration: what is wrong where. */
  readonly problems: readonly FieldProblem[];

  constructor(details: {
    code: string;
    status: number;
    message: string;
    remedy?: string | null;
    problems?: readonly FieldProblem[];
  }) {
    super(details.message);
    this.name = 'ApiProblem';
    this.code = details.code;
    this.status = details.status;
    this.remedy = details.remedy ?? null;
    this.problems = details.problems ?? [];
  }
}

export interface FieldProblem {
  /** Such as `cameras.hall.zones.mat.coordinates`. */
  readonly key: string;
  readonly message: string;
}

interface ProblemBody {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly remedy?: string;
  readonly problems?: readonly FieldProblem[];
}

/** What an answer that is no success says. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const { title = response.statusText, detail, code = `http_${response.status}` } = body;
  return new ApiProblem({
    code,
    status: response.status,
    message: detail ?? title,
    remedy: body.remedy ?? null,
    problems: Array.isArray(body.problems) ? body.problems : [],
  });
}

export function unreachable(): ApiProblem {
  return new ApiProblem({
    code: 'unreachable',
    status: 0,
    message: 'The box does not answer.',
    remedy: 'Check that it has power and network; this page tries again by itself.',
  });
}
