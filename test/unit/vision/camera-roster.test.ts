import { describe, expect, test } from 'vitest';
import type { CameraStatus } from '../../../src/capture/contract.ts';
import { CameraRoster } from '../../../src/vision/camera-roster.ts';
import { FleetMemory } from '../../../src/vision/fleet-memory.ts';
import { clipCamera } from '../../support/vision.ts';

const camera = (id: string, fps: number | 'all' = 'all') =>
  clipCamera(id, '/clip.mp4', {}, { fps });

function status(cameraId: string, state: CameraStatus['state']): CameraStatus {
  return {
    ...{ cameraId, state, sinceMonoMs: 0, fault: null, reconnects: 0, retryAtMonoMs: null },
    ...{ stream: null, decoder: null, analysed: null, failures: 0, clip: 0 },
  };
}

function roster() {
  const memory = new FleetMemory();
  const cameras = new CameraRoster(memory);
  cameras.begin([camera('gate'), camera('hall')]);
  return { memory, cameras };
}

describe('CameraRoster', () => {
  test('a new process begins with the cameras as they are by then', () => {
    const { cameras } = roster();
    cameras.add(camera('yard'));
    cameras.change(camera('hall', 2));
    cameras.remove('gate');
    expect(cameras.toStart.cameras.map(({ id, fps }) => [id, fps])).toEqual([
      ['hall', 2],
      ['yard', 'all'],
    ]);
  });

  test('what is over is not begun again, and not told as down', () => {
    const { memory, cameras } = roster();
    memory.statusSeen(status('gate', 'finished'));
    memory.statusSeen(status('hall', 'streaming'));
    expect(cameras.toStart.cameras.map(({ id }) => id)).toEqual(['hall']);
    expect(cameras.toStart.hints.map(({ cameraId }) => cameraId)).toEqual(['hall']);
    const fault = { code: 'VISION_PROCESS_DIED', message: 'gone', remedy: 'wait' };
    const down = cameras.down({ sinceMonoMs: 5, retryAtMonoMs: 9, fault });
    expect(down).toMatchObject([
      { cameraId: 'hall', state: 'backing-off', sinceMonoMs: 5, retryAtMonoMs: 9, fault },
    ]);
  });
});
