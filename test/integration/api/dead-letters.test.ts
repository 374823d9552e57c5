import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fetchDeadLetters } from '../../../src/api/control-client.ts';
import { ControlServer } from '../../../src/api/control-server.ts';
import { deadLetterTable } from '../../../src/api/queue-view.ts';
import { deadLetterView } from '../../../src/edge/status.ts';
import { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { temporaryFolder } from '../../support/program.ts';

test('what the hub refused is listed with its reason, newest first', async () => {
  const dir = temporaryFolder('dead-letters');
  mkdirSync(join(dir, 'store'));
  const store = await Store.open({
    dir: join(dir, 'store'),
    clock: systemClock,
    log: silentLogger,
  });
  const server = new ControlServer(dir, {
    '/dead-letters': async () => (await store.deadLetters(1)).map(deadLetterView),
  });
  try {
    await server.start();
    const wallMs = systemClock.wallMs();
    const data = {
      type: 'intrusion',
      camera_id: 'gate',
      severity: 'high' as const,
      timestamp: wallMs,
      data: {},
    };
    const at = { cameraId: 'gate', wallMs, monoMs: systemClock.monotonicMs() };
    for (let count = 0; count < 2; count++)
      await store.enqueue([{ ...at, type: 'alert_triggered', data }]);
    const refused = { lane: 0, code: 'schema_invalid', reason: 'severity: unknown' } as const;
    await store.deadLetter([1, 2].map((seq) => ({ ...refused, seq })));
    const letters = await fetchDeadLetters(dir);
    expect(letters).toMatchObject([
      {
        lane: 0,
        seq: 2,
        type: 'alert_triggered',
        code: 'schema_invalid',
        reason: 'severity: unknown',
      },
    ]);
    expect(letters[0]?.excerpt).toContain('"camera_id":"gate"');
    expect(deadLetterTable(letters)[1]).toMatch(
      /alerts +alert_triggered +2 .*severity: unknown \[schema_invalid\]/,
    );
  } finally {
    await server.stop();
    await store.close();
  }
});
