import { describe, expect, test } from 'vitest';
import { ApexError } from '../../../src/system/errors.ts';
import { createLogger, type LoggerOptions } from '../../../src/system/logging.ts';

function logging(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    name: 'edge',
    env: {},
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { log, lines };
}

describe('createLogger', () => {
  test('writes one JSON object a line with the same fields each time', () => {
    const { log, lines } = logging();
    log.child({ camera_id: 'front' }).info({ fps: 5 }, 'camera streaming');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\n$/);
    const line = JSON.parse(lines[0]!);
    expect(line).toMatchObject({
      level: 'info',
      name: 'edge',
      pid: process.pid,
      camera_id: 'front',
      fps: 5,
      event: 'camera streaming',
    });
    expect(new Date(line.time).toISOString()).toBe(line.time);
  });

  test('keeps quiet below its level, children too', () => {
    const { log, lines } = logging({ level: 'warn' });
    log.info({}, 'no');
    log.child({}).debug({}, 'no');
    log.error({}, 'yes');
    expect(lines).toHaveLength(1);
  });

  test('redacts fields, bindings of children and the event', () => {
    const { log, lines } = logging();
    log
      .child({ source: 'rtsp://a:sesame@cam/1' })
      .warn({ password: 'sesame', list: ['token=sesame'] }, 'lost rtsp://a:sesame@cam/1');
    expect(lines[0]).not.toContain('sesame');
    expect(lines[0]).toContain('rtsp://***@cam/1');
  });

  test('writes errors with code, message, remedy and causes', () => {
    const { log, lines } = logging();
    const error = new ApexError('INTERNAL', 'broken', { cause: new Error('below') });
    log.error({ err: error }, 'it failed');
    log.error(error, 'it failed');
    for (const line of lines.map((text) => JSON.parse(text))) {
      expect(line.err).toMatchObject({
        code: 'INTERNAL',
        message: 'broken',
        cause: { message: 'below' },
      });
      expect(line.err.remedy).toBe(error.remedy);
      expect(line.event).toBe('it failed');
    }
  });

  test('never writes a field twice', () => {
    const { log, lines } = logging();
    log.info({ event: 'theirs', level: 9, time: 1, name: 'n' }, 'ours');
    expect(lines[0]!.match(/"event":/g)).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      event: 'ours',
      event_: 'theirs',
      level_: 9,
      time_: 1,
      name_: 'n',
    });
  });

  test('puts the priority of syslog before lines for the journal', () => {
    const { log, lines } = logging({ level: 'debug', env: { JOURNAL_STREAM: '8:1' } });
    log.error({}, 'a');
    log.warn({}, 'a');
    log.info({}, 'a');
    log.child({ x: 1 }).debug({}, 'a');
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['<3>{', '<4>{', '<6>{', '<7>{']);
  });
});
