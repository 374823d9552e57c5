import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnosis } from '../../../src/capture/diagnosis.ts';
import {
  beginSupervision,
  deadlineOf,
  type Supervision,
  type SupervisionAction,
  type SupervisionEvent,
  transition,
} from '../../../src/capture/supervision.ts';

const policy = { connectTimeoutMs: 20_000, stallTimeoutMs: 10_000, frozenTimeoutMs: 60_000 };
const refused = diagnosis('CAPTURE_REFUSED', 'soon');
const wrongPassword = diagnosis('CAPTURE_AUTH_FAILED', 'account');
const unknownPath = diagnosis('CAPTURE_PATH_UNKNOWN', 'later');

/** A camera whose time is moved by hand. */
class Camera {
  now: Supervision = beginSupervision(0).next;
  timeMs = 0;
  random = 0.5;
  readonly actions: SupervisionAction[] = [];

  send(event: Omit<SupervisionEvent, 'nowMs'> & { kind: SupervisionEvent['kind'] }): this {
    const step = transition(this.now, { ...event, nowMs: this.timeMs } as SupervisionEvent, policy);
    this.now = step.next;
    if (step.action !== 'none') this.actions.push(step.action);
    return this;
  }

  ended(cause: ReturnType<typeof diagnosis> | null): this {
    return this.send({ kind: 'ended', cause, random: this.random } as never);
  }

  frame(changed = true): this {
    return this.send({ kind: 'frame', changed } as never);
  }

  /** Frames each second for a while. */
  play(seconds: number, changed = true): this {
    for (let i = 0; i < seconds; i++) {
      this.timeMs += 1000;
      this.frame(changed);
    }
    return this;
  }

  waitForDeadline(): this {
    this.timeMs = deadlineOf(this.now, policy) ?? Number.NaN;
    return this.send({ kind: 'clock' });
  }

  get delayMs(): number {
    return this.now.state === 'backing-off' ? this.now.retryAtMs - this.timeMs : Number.NaN;
  }
}

describe('taking over from a process that is gone', () => {
  const history = { fault: wrongPassword.fault, failures: 3, reconnects: 3, retryAtMonoMs: 90_000 };

  test('a camera that had to wait goes on waiting, and then backs off further', () => {
    const { next, action } = beginSupervision(10_000, history);
    expect(action).toBe('none');
    expect(next).toMatchObject({ state: 'backing-off', retryAtMs: 90_000, reconnects: 3 });
    expect(next.fault).toEqual(wrongPassword.fault);
    const camera = new Camera();
    camera.now = next;
    camera.waitForDeadline();
    expect(camera.now).toMatchObject({ state: 'connecting', failures: 3, reconnects: 4 });
  });

  test('a camera that was due, or streamed, connects at once', () => {
    expect(beginSupervision(90_000, history)).toMatchObject({ action: 'connect' });
    const streamed = { ...history, fault: null, retryAtMonoMs: null };
    expect(beginSupervision(10_000, streamed)).toMatchObject({
      action: 'connect',
      next: { state: 'connecting', fault: null, failures: 3 },
    });
  });
});

describe('connecting', () => {
  test('begins with a connection, and streams with the first frame', () => {
    expect(beginSupervision(7)).toMatchObject({ action: 'connect', next: { state: 'connecting' } });
    const camera = new Camera().send({ kind: 'opened' }).frame();
    expect(camera.now).toMatchObject({ state: 'streaming', fault: null, reconnects: 0 });
  });

  test('has no deadline until the connection is being opened', () => {
    const camera = new Camera();
    expect(deadlineOf(camera.now, policy)).toBeNull();
    camera.timeMs = 500;
    expect(deadlineOf(camera.send({ kind: 'opened' }).now, policy)).toBe(20_500);
  });

  test('ends a connection without a first picture', () => {
    const camera = new Camera().send({ kind: 'opened' }).waitForDeadline();
    expect(camera.now).toMatchObject({ state: 'stalled', fault: { code: 'CAPTURE_STALLED' } });
    expect(camera.actions).toEqual(['disconnect']);
  });
});

describe('backing off', () => {
  test('tries a few times quickly, then waits longer after each failure, up to a minute, with full jitter', () => {
    const camera = new Camera();
    const delays: number[] = [];
    for (let i = 0; i < 13; i++) {
      camera.ended(refused);
      delays.push(camera.delayMs);
      camera.waitForDeadline();
    }
    const quick = [250, 250, 250, 250, 250];
    expect(delays).toEqual([...quick, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(camera.now).toMatchObject({ state: 'connecting', reconnects: 13 });
    camera.random = 0;
    expect(camera.ended(refused).delayMs).toBe(0);
  });

  test('starts over only after 20 s of frames', () => {
    const camera = new Camera();
    for (let i = 0; i < 8; i++) camera.ended(refused).waitForDeadline();
    camera.frame().play(15).ended(refused);
    expect(camera.delayMs).toBe(4_000);
    camera.waitForDeadline().frame().play(20).ended(refused);
    expect(camera.delayMs).toBe(250);
    camera.waitForDeadline().ended(refused);
    expect(camera.delayMs).toBe(250);
  });

  test('a wrong password is tried slower and slower', () => {
    const camera = new Camera();
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      camera.ended(wrongPassword);
      delays.push(camera.delayMs / 1000);
      camera.waitForDeadline();
    }
    expect(delays).toEqual([45, 60, 90, 150, 270, 330, 330]);
  });

  test('an unknown path is not tried within half a minute', () => {
    const camera = new Camera();
    camera.random = 0;
    expect(camera.ended(unknownPath).delayMs).toBe(30_000);
  });

  test('the clock moves nothing before its time', () => {
    const camera = new Camera().ended(refused);
    const before = camera.now;
    camera.timeMs += camera.delayMs - 1;
    expect(camera.send({ kind: 'clock' }).now).toEqual(before);
    expect(camera.actions).toEqual([]);
  });

  test('a cause that cannot mend itself is final', () => {
    const camera = new Camera().ended(diagnosis('CAPTURE_FILE_UNREADABLE', 'never'));
    expect(camera.now.state).toBe('failed');
    expect(deadlineOf(camera.now, policy)).toBeNull();
    expect(camera.frame().ended(refused).send({ kind: 'clock' }).now.state).toBe('failed');
  });
});

describe('streaming', () => {
  test('a stall ends the connection, keeps its cause, and the first retry is quick', () => {
    const camera = new Camera().frame().play(100).waitForDeadline();
    expect(camera.now).toMatchObject({ state: 'stalled', fault: { code: 'CAPTURE_STALLED' } });
    expect(camera.actions).toEqual(['disconnect']);
    camera.timeMs += 2000;
    camera.ended(null);
    expect(camera.now).toMatchObject({ state: 'backing-off', fault: { code: 'CAPTURE_STALLED' } });
    expect(camera.delayMs).toBe(250);
  });

  test('a better explanation of the stall is taken', () => {
    const camera = new Camera().frame().waitForDeadline().ended(refused);
    expect(camera.now.fault?.code).toBe('CAPTURE_REFUSED');
  });

  test('a pause is no stall', () => {
    const camera = new Camera().frame().send({ kind: 'paused' });
    expect(deadlineOf(camera.now, policy)).toBeNull();
    camera.timeMs = 1_000_000;
    camera.send({ kind: 'clock' });
    expect(camera.now.state).toBe('streaming');
    camera.send({ kind: 'resumed' });
    expect(deadlineOf(camera.now, policy)).toBe(1_010_000);
  });

  test('the fault is over with the first frame', () => {
    const camera = new Camera().ended(refused).waitForDeadline().frame();
    expect(camera.now).toMatchObject({ state: 'streaming', fault: null, reconnects: 1 });
  });
});

describe('a frozen picture', () => {
  function frozen(): Camera {
    return new Camera().frame().play(10).play(59, false).waitForDeadline();
  }

  test('is reported and the stream opened again', () => {
    const camera = frozen();
    expect(camera.now).toMatchObject({
      state: 'stalled',
      fault: { code: 'CAPTURE_PICTURE_FROZEN' },
    });
    camera.ended(refused);
    expect(camera.now.fault?.code).toBe('CAPTURE_PICTURE_FROZEN');
    expect(camera.delayMs).toBeLessThan(500);
  });

  test('stays reported, and is not opened again and again', () => {
    const camera = frozen().ended(null).waitForDeadline().frame().play(1000, false);
    expect(camera.now).toMatchObject({
      state: 'streaming',
      fault: { code: 'CAPTURE_PICTURE_FROZEN' },
      reconnects: 1,
    });
    expect(camera.actions).toEqual(['disconnect', 'connect']);
  });

  test('is over when the picture moves, and may be found again', () => {
    const camera = frozen().ended(null).waitForDeadline().frame().play(9);
    expect(camera.now.fault?.code).toBe('CAPTURE_PICTURE_FROZEN');
    camera.play(1);
    expect(camera.now.fault).toBeNull();
    camera.play(59, false).waitForDeadline();
    expect(camera.now.fault?.code).toBe('CAPTURE_PICTURE_FROZEN');
  });

  test('is not looked for when the check is off', () => {
    const camera = new Camera().frame();
    expect(deadlineOf(camera.now, { ...policy, frozenTimeoutMs: 0 })).toBe(10_000);
    expect(deadlineOf(camera.now, { ...policy, frozenTimeoutMs: 3000 })).toBe(3000);
  });
});

describe('any order of events', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constantFrom('opened', 'paused', 'resumed', 'clock', 'finished') }),
    fc.record({ kind: fc.constant('frame'), changed: fc.boolean() }),
    fc.record({
      kind: fc.constant('ended'),
      cause: fc.constantFrom(null, refused, wrongPassword, unknownPath),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
  );

  test('connects only after waiting, and disconnects only what has stalled', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(100_000))), (history) => {
        const camera = new Camera();
        for (const [next, waitMs] of history) {
          camera.timeMs += waitMs;
          const before = camera.now.state;
          const known = camera.actions.length;
          const after = camera.send(next as never).now.state;
          const expected = { none: [], connect: ['connect'], disconnect: ['disconnect'] };
          const waited = before === 'backing-off' && after === 'connecting';
          const stalled = before !== 'stalled' && after === 'stalled';
          const action = waited ? 'connect' : stalled ? 'disconnect' : 'none';
          expect(camera.actions.slice(known)).toEqual(expected[action]);
        }
      }),
    );
  });

  test('leaves no state but the final ones without a way on', () => {
    fc.assert(
      fc.property(fc.array(event), (history) => {
        const camera = new Camera().send({ kind: 'opened' });
        for (const next of history) camera.send(next as never);
        const { now } = camera;
        const waitsForOthers = ['stalled', 'failed', 'finished'].includes(now.state);
        const pauses = now.state === 'streaming' && now.paused;
        const isOpening = now.state === 'connecting' && now.openedAtMs === null;
        const hasDeadline = deadlineOf(now, policy) !== null;
        expect(hasDeadline).toBe(!waitsForOthers && !pauses && !isOpening);
      }),
    );
  });
});
