import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, configSchema } from '../../../src/config/schema.ts';
import { planCameras, planDetector } from '../../../src/edge/vision-spec.ts';
import { temporaryFolder } from '../../support/program.ts';

function configured(sections: object): Config {
  return configSchema.parse(sections);
}

describe('planCameras', () => {
  test('puts user name and password into the address that only the decoder gets', () => {
    const config = configured({
      cameras: { gate: { url: 'rtsp://10.0.0.2/s', username: 'viewer', password: 'a/b@c' } },
    });
    const { cameras } = planCameras(config, {});
    expect(cameras[0]?.source).toEqual({
      kind: 'rtsp',
      url: 'rtsp://viewer:a%2Fb%40c@10.0.0.2/s',
      transport: 'tcp',
    });
  });

  test('leaves out cameras that are switched off', () => {
    const config = configured({ cameras: { gate: { url: 'rtsp://h/s', enabled: false } } });
    expect(planCameras(config, {})).toEqual({ cameras: [], refused: [] });
  });

  test('plays the clips of a folder in the order of their names', () => {
    const folder = temporaryFolder('clips');
    for (const name of ['b.mp4', 'a.mkv', 'notes.txt']) writeFileSync(join(folder, name), '');
    const { cameras } = planCameras(configured({ cameras: { file: { path: folder } } }), {});
    expect(cameras[0]?.source).toMatchObject({
      kind: 'file',
      paths: [join(folder, 'a.mkv'), join(folder, 'b.mp4')],
    });
  });

  test('refuses one camera and plans the other', () => {
    const empty = join(temporaryFolder('empty'), 'clips');
    mkdirSync(empty);
    const config = configured({
      cameras: {
        empty: { path: empty },
        secret: { url: 'rtsp://h/s', username: 'u', password_file: '/nonexistent' },
        gate: { url: 'rtsp://h/s' },
      },
    });
    const { cameras, refused } = planCameras(config, {});
    expect(cameras.map(({ id }) => id)).toEqual(['gate']);
    expect(refused.map(({ cameraId, fault }) => [cameraId, fault.code])).toEqual([
      ['empty', 'CAPTURE_FILE_MISSING'],
      ['secret', 'CONFIG_SECRET_UNREADABLE'],
    ]);
  });
});

describe('planDetector', () => {
  const paths = { model: '/m.onnx', preparedDir: '/p' };

  function planned(sections: object) {
    return planDetector(configured(sections), paths);
  }

  test('asks for the labels that any camera wants', () => {
    const cameras = {
      a: { url: 'rtsp://h/a', detect: { labels: ['person', 'dog'] } },
      b: { url: 'rtsp://h/b', detect: { labels: ['person', 'car'] } },
    };
    expect(planned({ cameras }).labels).toEqual(['person', 'dog', 'car']);
  });

  test('asks for all labels when one camera does', () => {
    const cameras = {
      a: { url: 'rtsp://h/a', detect: { labels: ['person'] } },
      b: { url: 'rtsp://h/b', detect: { labels: null } },
    };
    expect(planned({ cameras }).labels).toBeNull();
  });

  test('falls back to the CPU also from a provider that was asked for', () => {
    expect(planned({}).providers).toEqual(['tensorrt', 'cuda', 'cpu']);
    expect(planned({ detector: { provider: 'cuda' } }).providers).toEqual(['cuda', 'cpu']);
    expect(planned({ detector: { provider: 'cpu' } }).providers).toEqual(['cpu']);
  });
});
