import { describe, expect, test } from 'vitest';
import type { CameraStatus } from '../../../../src/capture/contract.ts';
import { FirstAnalysis } from '../../../../src/edge/cameras/first-analysis.ts';
import { ApexError } from '../../../../src/system/errors.ts';

const DUE_MS = 17_000;

function scene() {
  const timers = new Set<() => void>();
  const clock = {
    monotonicMs: () => 0,
    wallMs: () => 0,
    setTimeout(callback: () => void) {
      timers.add(callback);
      return { cancel: () => void timers.delete(callback) };
    },
  };
  const passDeadline = (): void => {
    for (const timer of [...timers]) timer();
  };
  return { analysis: new FirstAnalysis(clock), timers, passDeadline };
}

function status(state: CameraStatus['state'], code: string | null): CameraStatus {
  return {
    cameraId: 'gate',
    state,
    sinceMonoMs: 0,
    fault: code === null ? null : { code, message: 'why', remedy: 'what to do' },
    reconnects: 0,
    retryAtMonoMs: null,
    stream: null,
    decoder: null,
    analysed: null,
    failures: 0,
    clip: 0,
  };
}

describe('FirstAnalysis', () => {
  test('comes with a frame of that camera', async () => {
    const { analysis, timers } = scene();
    const next = analysis.next('gate', DUE_MS);
    analysis.frameAnalysed('other');
    expect(timers.size).toBe(1);
    analysis.statusChanged(status('streaming', null));
    analysis.frameAnalysed('gate');
    await expect(next).resolves.toBeUndefined();
    expect(timers.size).toBe(0);
  });

  test('does not come when the camera fails, for the reason that it gives', async () => {
    const { analysis, timers } = scene();
    const next = analysis.next('gate', DUE_MS);
    analysis.statusChanged(status('backing-off', 'CAPTURE_AUTH_FAILED'));
    await expect(next).rejects.toMatchObject({
      code: 'CAPTURE_AUTH_FAILED',
      message: 'why',
      remedy: 'what to do',
    });
    expect(timers.size).toBe(0);
  });

  test('is waited for over faults that mend themselves, until the deadline', async () => {
    const { analysis, passDeadline } = scene();
    const next = analysis.next('gate', DUE_MS);
    analysis.statusChanged(status('backing-off', 'VISION_PROCESS_DIED'));
    analysis.frameAnalysed('gate');
    await expect(next).resolves.toBeUndefined();
    const late = analysis.next('gate', DUE_MS);
    analysis.statusChanged(status('stalled', 'CAPTURE_STALLED'));
    passDeadline();
    await expect(late).rejects.toMatchObject({ code: 'CAPTURE_STALLED' });
    const silent = analysis.next('gate', DUE_MS);
    passDeadline();
    await expect(silent).rejects.toMatchObject({ code: 'CAMERA_START_TIMEOUT' });
  });

  test('is given up for one camera, and never for another', async () => {
    const { analysis, timers } = scene();
    const gate = analysis.next('gate', DUE_MS);
    const yard = analysis.next('yard', DUE_MS);
    analysis.giveUpOn('gate', new ApexError('CAMERA_STOPPED', 'stopped meanwhile'));
    await expect(gate).rejects.toMatchObject({ code: 'CAMERA_STOPPED' });
    expect(timers.size).toBe(1);
    analysis.frameAnalysed('yard');
    await expect(yard).resolves.toBeUndefined();
  });

  test('is given up when the edge stops', async () => {
    const { analysis, timers } = scene();
    const next = analysis.next('gate', DUE_MS);
    analysis.giveUp(new ApexError('CAMERA_STOPPED', 'stopping'));
    await expect(next).rejects.toMatchObject({ code: 'CAMERA_STOPPED' });
    expect(timers.size).toBe(0);
  });
});
