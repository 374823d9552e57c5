import type { RouteAnswer, RouteInput, RouteKey } from '../../protocol/local-api/routes.ts';
import { problemOf, unreachable } from './problem.ts';

type Given<Key extends RouteKey> = Part<Key, 'path'> &
  Part<Key, 'query'> &
  Part<Key, 'body'> & { readonly signal?: AbortSignal };

type Part<Key extends RouteKey, Name extends 'path' | 'query' | 'body'> =
  RouteInput<Key, Name> extends undefined
    ? { readonly [N in Name]?: undefined }
    : Partial<RouteInput<Key, Name>> extends RouteInput<Key, Name>
      ? { readonly [N in Name]?: RouteInput<Key, Name> }
      : { readonly [N in Name]: RouteInput<Key, Name> };

type Values = Readonly<Record<string, string | number | boolean | undefined>>;

/** Hears when the session is over. */
let onLoggedOut: () => void = () => undefined;

export function whenLoggedOut(listener: () => void): void {
  onLoggedOut = listener;
}

/** Asks the box, as the contract of its API has it. @throws ApiProblem */
export async function call<Key extends RouteKey>(
  key: Key,
  given: Given<Key> = {} as Given<Key>,
): Promise<RouteAnswer<Key>> {
  const [method = 'GET', pattern = ''] = key.split(' ');
  const { path, query, body, signal } = given;
  const json = body === undefined ? { headers: {} } : jsonBody(body);
  const response = await send(addressOf(pattern, path as Values, query as Values), {
    method,
    ...json,
    headers: { ...json.headers, 'X-Apex-Csrf': '1' },
    ...(signal && { signal }),
  });
  return (response.status === 204 ? undefined : await response.json()) as RouteAnswer<Key>;
}

/** Adds the face of a picture to a person. @throws ApiProblem */
export async function uploadFace(
  personId: string,
  jpeg: Blob,
): Promise<RouteAnswer<'POST /api/people/:person_id/faces'>> {
  const address = addressOf(
    '/api/people/:person_id/faces',
    { person_id: personId },
    { largest: 'true' },
  );
  const headers = { 'Content-Type': 'image/jpeg', 'X-Apex-Csrf': '1' };
  const response = await send(address, { method: 'POST', body: jpeg, headers });
  return (await response.json()) as RouteAnswer<'POST /api/people/:person_id/faces'>;
}

/** Address of a file of the API, for pictures, clips and downloads. */
export function fileAddress(pattern: string, path: Values, query: Values = {}): string {
  return addressOf(pattern, path, query);
}

async function send(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  if (response.status === 401 && !address.endsWith('/login')) onLoggedOut();
  throw await problemOf(response);
}

function jsonBody(body: unknown): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
}

function addressOf(pattern: string, path: Values = {}, query: Values = {}): string {
  const address = pattern.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(path[name])),
  );
  const entries = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return entries.length === 0 ? address : `${address}?${new URLSearchParams(entries)}`;
}
