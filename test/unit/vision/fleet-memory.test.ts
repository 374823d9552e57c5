import { describe, expect, test } from 'vitest';
import type { CameraStatus } from '../../../src/capture/contract.ts';
import type { CameraCounters } from '../../../src/vision/contract.ts';
import { FleetMemory } from '../../../src/vision/fleet-memory.ts';

const STREAM = { codec: 'h264', width: 768, height: 432, fps: 10, pixelFormat: 'yuv420p' };
const FAULT = { code: 'VISION_PROCESS_DIED', message: 'gone', remedy: 'wait' };

function status(state: CameraStatus['state']): CameraStatus {
  return {
    cameraId: 'front',
    state,
    sinceMonoMs: 1,
    fault: null,
    reconnects: 3,
    retryAtMonoMs: null,
    stream: STREAM,
    decoder: { decoder: 'software', refused: [] },
    analysed: { width: 640, height: 360 },
    failures: 2,
    clip: 1,
  };
}

function counters(framesReceived: number, framesAnalysed: number): CameraCounters {
  const framesDropped = framesReceived - framesAnalysed;
  return { cameraId: 'front', framesReceived, framesAnalysed, framesDropped, fps: 5 };
}

describe('FleetMemory', () => {
  test('hands the next process what is known of the cameras', () => {
    const memory = new FleetMemory();
    memory.statusSeen(status('streaming'));
    memory.countersSeen([counters(10, 8)]);
    expect(memory.hints()).toEqual([
      {
        cameraId: 'front',
        stream: STREAM,
        decoder: { decoder: 'software', refused: [] },
        nextFrameId: 10,
        history: { fault: null, failures: 2, reconnects: 3, retryAtMonoMs: null, clip: 1 },
      },
    ]);
  });

  test('no frame number comes twice, also when the last counters are old', () => {
    const memory = new FleetMemory();
    memory.statusSeen(status('streaming'));
    memory.countersSeen([counters(10, 8)]);
    memory.resultSeen({
      cameraId: 'front',
      frameId: 17,
      monoMs: 0,
      wallMs: 0,
      detections: [],
      inferenceMs: 1,
      model: 'm',
    });
    expect(memory.hints()[0]?.nextFrameId).toBe(18);
  });

  test('counts go on over processes', () => {
    const memory = new FleetMemory();
    memory.statusSeen(status('streaming'));
    memory.countersSeen([counters(10, 8)]);
    memory.down('front', { sinceMonoMs: 5, retryAtMonoMs: 6, fault: FAULT });
    expect(memory.countersSeen([{ ...counters(14, 3), framesDropped: 1 }])).toMatchObject([
      { framesReceived: 14, framesAnalysed: 11, framesDropped: 3 },
    ]);
  });

  test('a camera without its process backs off, and keeps what is known of it', () => {
    const memory = new FleetMemory();
    memory.statusSeen(status('streaming'));
    expect(memory.down('front', { sinceMonoMs: 5, retryAtMonoMs: 6, fault: FAULT })).toEqual({
      ...status('backing-off'),
      sinceMonoMs: 5,
      retryAtMonoMs: 6,
      fault: FAULT,
    });
  });

  test('a process that ended takes nothing of a camera with it: neither its back-off nor its place', () => {
    const memory = new FleetMemory();
    const refused = { code: 'CAPTURE_AUTH_FAILED', message: 'no', remedy: 'check' };
    memory.statusSeen({
      ...status('backing-off'),
      stream: null,
      fault: refused,
      retryAtMonoMs: 90_000,
    });
    memory.down('front', { sinceMonoMs: 5, retryAtMonoMs: 6, fault: FAULT });
    expect(memory.hints()).toMatchObject([
      {
        stream: null,
        history: { fault: refused, failures: 2, reconnects: 3, retryAtMonoMs: 90_000, clip: 1 },
      },
    ]);
  });

  test('a camera that was forgotten comes again as a new one', () => {
    const memory = new FleetMemory();
    memory.statusSeen(status('failed'));
    memory.forget('front');
    expect(memory.isOver('front')).toBe(false);
    expect(memory.hints()).toEqual([]);
  });

  test.each(['finished', 'failed', 'disabled'] as const)('a %s camera is over', (state) => {
    const memory = new FleetMemory();
    memory.statusSeen(status(state));
    expect(memory.isOver('front')).toBe(true);
    expect(memory.hints()).toEqual([]);
  });
});
