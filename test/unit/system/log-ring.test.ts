import { expect, test } from 'vitest';
import { LogRing } from '../../../src/system/log-ring.ts';
import { createLogger } from '../../../src/system/logging.ts';

test('the newest lines of a level, also where the journal of systemd gets them', () => {
  const ring = new LogRing();
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const log = createLogger({
    level: 'debug',
    name: 'edge',
    destination,
    ring,
    env: { JOURNAL_STREAM: '1' },
  });
  log.debug({}, 'small');
  log.warn({ password: 'secret-of-all' }, 'large');
  log.info({}, 'middle');
  expect(written).toHaveLength(3);
  expect(ring.newest(10, 'info')).toMatchObject([
    { level: 'warn', event: 'large' },
    { level: 'info' },
  ]);
  expect(ring.newest(1, 'debug')).toMatchObject([{ event: 'middle' }]);
  expect(JSON.stringify(ring.newest(10, 'debug'))).not.toContain('secret-of-all');
});

test('it is bounded, and no line of others breaks it', () => {
  const ring = new LogRing();
  ring.write('no JSON\n');
  for (let count = 0; count < 3000; count++)
    ring.write(`${JSON.stringify({ level: 'info', count, filler: 'x'.repeat(2000) })}\n`);
  const lines = ring.newest(5000, 'debug');
  expect(lines.length).toBeLessThan(1000);
  expect(lines.at(-1)).toMatchObject({ count: 2999 });
});
