import { MetricRegistry } from '../../system/metrics.ts';
import type { LocalBox } from '../local-box.ts';
import type { Call, Handlers } from './handlers.ts';
import { openApi } from './openapi.ts';
import { ApiProblem } from './problem.ts';
import { statusFor } from './status-scope.ts';

type Keys =
  | 'GET /api/health'
  | 'GET /api/openapi.json'
  | 'GET /api/status'
  | 'GET /api/metrics'
  | 'GET /api/queue'
  | 'GET /api/queue/dead_letters'
  | 'GET /api/models'
  | 'GET /api/logs'
  | 'GET /api/support_bundle';

/** How the box does. */
export function stateHandlers(box: LocalBox, version: string): Handlers<Keys> {
  const description = openApi(version);
  return {
    'GET /api/health': async () => ({ status: 'ok' as const }),
    'GET /api/openapi.json': async () => description,
    'GET /api/status': async ({ visitor }) => statusFor(await box.status(), visitor),
    'GET /api/metrics': async ({ visitor, reply }) => {
      if (visitor.cameras !== null)
        throw new ApiProblem('forbidden', { detail: 'metrics tell of all cameras' });
      return reply.type(MetricRegistry.contentType).send(await box.metrics());
    },
    'GET /api/queue': async () => (await box.status()).queue,
    'GET /api/queue/dead_letters': async () => ({ dead_letters: await box.deadLetters() }),
    'GET /api/models': async () => ({ models: await box.models() }),
    'GET /api/logs': async ({ query }) => ({ lines: box.logs.newest(query.lines, query.level) }),
    'GET /api/support_bundle': async ({ reply }: Call<'GET /api/support_bundle'>) => {
      const bundle = await box.supportBundle();
      return reply
        .type('application/gzip')
        .header('Content-Disposition', `attachment; filename="${bundle.name}"`)
        .send(bundle.body);
    },
  };
}
