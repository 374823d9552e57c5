import { z } from 'zod';
import type { RouteSpec } from '../../protocol/local-api/route.ts';
import { ROUTES } from '../../protocol/local-api/routes.ts';
import { API_PROBLEMS, PROBLEM_TYPE } from './problem.ts';

type Json = Record<string, unknown>;

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457, with a stable `code`',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: {
      type: 'string',
      description: `One of ${Object.keys(API_PROBLEMS).join(', ')}, or of docs/errors.md`,
    },
    detail: { type: 'string' },
    remedy: { type: 'string', description: 'What a person can do about it' },
    problems: { description: 'Of a configuration: each mistake with its place' },
  },
  required: ['type', 'title', 'status', 'code'],
};

/** The description of the local API (OpenAPI 3.1), made from the routes that it answers. */
export function openApi(version: string): Json {
  const schemas: Record<string, Json> = { Problem: PROBLEM };
  const paths: Record<string, Json> = {};
  for (const [key, route] of Object.entries<RouteSpec>(ROUTES)) {
    const [method = '', url = ''] = key.split(' ');
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(key, route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'apex-edge local API',
      version,
      description:
        'What a box saw, how it does, and how it is set up. Times are Unix milliseconds.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'apex_session',
          description: 'Changes need the header `X-Apex-Csrf` too. Over TLS `__Host-apex_session`.',
        },
      },
    },
  };
}

function operation(key: string, route: RouteSpec, schemas: Record<string, Json>): Json {
  const { role, summary, path, query, body } = route;
  const parameters = [
    ...parametersOf(path, 'path', schemas),
    ...parametersOf(query, 'query', schemas),
  ];
  return {
    operationId: operationId(key),
    summary,
    'x-apex-role': role,
    security: role === 'open' ? [] : [{ token: [] }, { session: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: bodyOf(body, schemas) } }),
    responses: {
      ...answers(route, schemas),
      default: {
        description: 'What went wrong',
        content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function answers({ answer }: RouteSpec, schemas: Record<string, Json>): Json {
  if (answer === undefined) return { 204: { description: 'Done' } };
  const content =
    typeof answer === 'string'
      ? { [answer]: { schema: { type: 'string', format: 'binary' } } }
      : { 'application/json': { schema: schemaOf(answer, 'input', schemas) } };
  return { 200: { description: 'The answer', content } };
}

function bodyOf(body: NonNullable<RouteSpec['body']>, schemas: Record<string, Json>): Json {
  if (typeof body === 'string') return { [body]: { schema: { type: 'string', format: 'binary' } } };
  return { 'application/json': { schema: schemaOf(body, 'input', schemas) } };
}

function parametersOf(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  schemas: Record<string, Json>,
): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input', schemas) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

/** Named schemas go among the components. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Record<string, Json>): Json {
  const text = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  const {
    $schema: _,
    $defs,
    ...rest
  } = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as Json & {
    $defs?: Record<string, Json>;
  };
  for (const [name, { id: _id, ...own }] of Object.entries($defs ?? {})) schemas[name] = own;
  const { id, ...own } = rest;
  if (typeof id !== 'string') return own;
  schemas[id] = own;
  return { $ref: `#/components/schemas/${id}` };
}

/** `GET /api/cameras/:camera_id/latest.jpg` is `get_cameras_camera_id_latest_jpg`. */
function operationId(key: string): string {
  const words = key.replace('/api/', ' ').toLowerCase();
  return words
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .join('_');
}
