import { configJsonSchema } from '../../config/json-schema.ts';
import { maySee, type Visitor } from '../access/visitor.ts';
import type { LocalBox } from '../local-box.ts';
import type { Call, Handlers } from './handlers.ts';
import { ApiProblem } from './problem.ts';

type Keys =
  | 'GET /api/cameras/:camera_id/zones'
  | 'PUT /api/cameras/:camera_id/zones'
  | 'GET /api/config'
  | 'GET /api/config/schema.json'
  | 'GET /api/rules'
  | 'PUT /api/rules'
  | 'GET /api/config/versions'
  | 'GET /api/config/versions/:id'
  | 'POST /api/config/versions/:id/restore';

/** How the box is set up. */
export function configurationHandlers({
  configuration,
}: Pick<LocalBox, 'configuration'>): Handlers<Keys> {
  const schema = configJsonSchema() as Record<string, unknown>;
  return {
    'GET /api/cameras/:camera_id/zones': async ({ path, visitor }) => {
      assertSeen(path.camera_id, visitor);
      return configuration.zones(path.camera_id);
    },
    'PUT /api/cameras/:camera_id/zones': async ({
      path,
      body,
      visitor,
    }: Call<'PUT /api/cameras/:camera_id/zones'>) => {
      const { etag, dry_run: isDryRun, ...zones } = body;
      return configuration.putZones(path.camera_id, zones, { by: visitor.name, etag, isDryRun });
    },
    'GET /api/rules': async () => configuration.rules(),
    'PUT /api/rules': async ({ body, visitor }) => {
      const { rules, etag, dry_run: isDryRun } = body;
      return configuration.putRules(rules, { by: visitor.name, etag, isDryRun });
    },
    'GET /api/config': async () => configuration.current(),
    'GET /api/config/schema.json': async () => schema,
    'GET /api/config/versions': async () => ({ versions: await configuration.versions() }),
    'GET /api/config/versions/:id': async ({ path }) => ({
      text: await configuration.version(path.id),
    }),
    'POST /api/config/versions/:id/restore': async ({ path, visitor }) =>
      configuration.restore(path.id, { by: visitor.name }),
  };
}

/** @throws ApiProblem not_found */
function assertSeen(cameraId: string, visitor: Visitor): void {
  if (maySee(visitor, cameraId)) return;
  throw new ApiProblem('not_found', { detail: `there is no camera ${cameraId}` });
}
