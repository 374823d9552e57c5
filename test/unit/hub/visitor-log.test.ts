import { expect, test } from 'vitest';
import { visitorLog } from '../../../src/hub/door/visitor-log.ts';
import type { Logger } from '../../../src/system/logger.ts';

function scene() {
  const lines: { level: string; event: string; fields: object }[] = [];
  const write = (level: string) => (fields: object, event: string) => {
    lines.push({ level, event, fields });
  };
  const plain = (bound: object): Logger => ({
    debug: write('debug'),
    info: write('info'),
    warn: (fields, event) => write('warn')({ ...bound, ...fields }, event),
    error: write('error'),
    child: (fields) => plain({ ...bound, ...fields }),
  });
  const time = { nowMs: 0 };
  const clock = {
    monotonicMs: () => time.nowMs,
    wallMs: () => 0,
    setTimeout: () => ({ cancel() {} }),
  };
  return { log: visitorLog(plain({}), clock), lines, time };
}

test('of what strangers repeat a thousand lines are written, then a few a second that count the rest', () => {
  const { log, lines, time } = scene();
  for (let remote = 0; remote < 5000; remote++) log.child({ remote }).warn({}, 'client refused');
  expect(lines).toHaveLength(1000);
  expect(lines[7]).toEqual({ level: 'warn', event: 'client refused', fields: { remote: 7 } });
  time.nowMs = 1000;
  for (let time = 0; time < 100; time++) log.warn({ remote: 'x' }, 'client refused');
  expect(lines).toHaveLength(1005);
  expect(lines[1000]?.fields).toEqual({ remote: 'x', left_out: 4000 });
  expect(lines[1001]?.fields).toEqual({ remote: 'x' });
});

test('other events, and errors of the hub, are written beside them', () => {
  const { log, lines } = scene();
  for (let time = 0; time < 2000; time++) log.info({}, 'client disconnected');
  log.info({}, 'client identified');
  for (let time = 0; time < 2000; time++) log.error({}, 'not stored');
  expect(lines.filter(({ event }) => event === 'client identified')).toHaveLength(1);
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2000);
});
