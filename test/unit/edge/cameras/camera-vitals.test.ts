import { describe, expect, test } from 'vitest';
import { CameraVitals } from '../../../../src/edge/cameras/camera-vitals.ts';

const NUMBERS = { cameraId: 'gate', framesReceived: 50, framesAnalysed: 40, framesDropped: 10 };
const STREAM = { codec: 'h264', width: 1920, height: 1080, fps: 25, pixelFormat: 'yuv420p' };

describe('CameraVitals', () => {
  test('a camera of which nothing was told is connecting', () => {
    expect(new CameraVitals('gate', 1000).view(3500, 5)).toEqual({
      ...{ camera_id: 'gate', state: 'connecting', since_s: 2.5, fault: null, retry_in_s: null },
      ...{ reconnects: 0, fps: 0, frames_received: 0, frames_analysed: 0, frames_dropped: 0 },
      ...{ stream: null, decoder: null, analysed: null },
    });
  });

  test('has a rate only while it streams, and says what it is analysed with', () => {
    const vitals = new CameraVitals('gate', 0);
    vitals.countersChanged({ ...NUMBERS, fps: 4.9 });
    const analysed = { width: 640, height: 360 };
    vitals.statusChanged({ ...vitals.status, state: 'streaming', stream: STREAM, analysed });
    expect(vitals.view(0, 5)).toMatchObject({
      ...{ fps: 4.9, frames_received: 50, frames_dropped: 10 },
      analysed: { fps: 5, width: 640, height: 360 },
    });
    expect(vitals.view(0, 'all').analysed?.fps).toBeNull();
    vitals.statusChanged({ ...vitals.status, state: 'stalled' });
    expect(vitals.view(0, 5).fps).toBe(0);
  });

  test('counts analysed frames itself, whatever process analyses them', () => {
    const vitals = new CameraVitals('gate', 0);
    for (let frame = 0; frame < 3; frame++) vitals.frameAnalysed();
    vitals.countersChanged({ ...NUMBERS, framesAnalysed: 0, fps: 0 });
    expect(vitals.view(0, 5).frames_analysed).toBe(3);
  });

  test('says when the next attempt is, and never that it was due before now', () => {
    const vitals = new CameraVitals('gate', 0);
    vitals.statusChanged({ ...vitals.status, state: 'backing-off', retryAtMonoMs: 5000 });
    expect([vitals.view(2000, 5).retry_in_s, vitals.view(9000, 5).retry_in_s]).toEqual([3, 0]);
  });

  test.each([
    ['streaming', false],
    ['stalled', false],
    ['backing-off', false],
    ['stopped', true],
    ['failed', true],
    ['finished', true],
    ['disabled', true],
  ] as const)('%s: nobody watches any more, %s', (state, hasEnded) => {
    const vitals = new CameraVitals('gate', 0);
    vitals.statusChanged({ ...vitals.status, state });
    expect(vitals.hasEnded).toBe(hasEnded);
  });
});
