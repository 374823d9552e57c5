import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from 'vitest';
import { measureScene, SCENE_WIDTH } from '../../../src/edge/health/scene-measure.ts';
import { OpenConditions } from '../../../src/events/watch/open-conditions.ts';
import { type SceneSample, SceneWatch } from '../../../src/events/watch/scene-watch.ts';
import { assets, testWithAssets } from '../../support/assets.ts';

const folder = mkdtempSync(join(tmpdir(), 'apex-scene-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SAMPLE_MS = 10_000;
/** Of a changed copy so much is enough. */
const COPY_S = '20';
const measured = new Map<string, SceneSample[]>();

/** A picture a second of a clip, as the sampler would get it. @param filter of ffmpeg */
async function samplesOf(clip: string, filter: string): Promise<SceneSample[]> {
  const known = measured.get(`${clip} ${filter}`);
  if (known !== undefined) return known;
  const frames = mkdtempSync(join(folder, 'frames-'));
  const filters = `fps=1,${filter},scale=${SCENE_WIDTH}:-2`;
  execFileSync('ffmpeg', [
    ...[
      '-v',
      'error',
      ...(filter === 'null' ? [] : ['-t', COPY_S]),
      '-i',
      join(assets().media ?? '', clip),
      '-vf',
      filters,
      '-q:v',
      '3',
    ],
    join(frames, '%04d.jpg'),
  ]);
  const names = readdirSync(frames).sort();
  const samples = await Promise.all(
    names.map((name) => measureScene(readFileSync(join(frames, name)))),
  );
  measured.set(`${clip} ${filter}`, samples);
  return samples;
}

/** Types of the alerts that samples in a row come to, ten seconds apart. */
function alertsOf(samples: readonly SceneSample[]): string[] {
  const watch = new SceneWatch('gate', { obscured: 'high', changed: 'medium' });
  const conditions = new OpenConditions([]);
  return samples.flatMap((sample, index) => {
    const monoMs = index * SAMPLE_MS;
    const time = { monoMs, wallMs: monoMs };
    return watch
      .look(sample, monoMs)
      .flatMap((finding) => conditions.take(finding, time))
      .map(({ type }) => type);
  });
}

const repeated = (samples: readonly SceneSample[], least: number): SceneSample[] =>
  Array.from({ length: least }, (_, index) => samples[index % samples.length] as SceneSample);

describe.each([
  'car-detection.mp4',
  'one-by-one-person-detection.mp4',
  'people-walking.mp4',
  'street.mp4',
  'two-faces.mp4',
])('%s', (clip) => {
  const footage = testWithAssets({ media: clip });

  footage('raises no alert over its whole length, and played again and again', async () => {
    const samples = await samplesOf(clip, 'null');
    expect(alertsOf(samples)).toEqual([]);
    expect(alertsOf(repeated(samples, 300))).toEqual([]);
  });

  footage('raises none as lights go on and off, in the dark, or by infrared light', async () => {
    const day = repeated(await samplesOf(clip, 'null'), 40);
    for (const filter of [
      'eq=brightness=0.2',
      'eq=brightness=-0.2:contrast=0.6',
      'hue=s=0,eq=brightness=0.1:contrast=0.7:gamma=1.4',
    ]) {
      const other = repeated(await samplesOf(clip, filter), 40);
      expect(alertsOf([...day, ...other, ...day]), filter).toEqual([]);
    }
  });

  footage.each([
    ['covered', 'drawbox=t=fill:color=black', /^camera_obscured$/],
    ['blurred', 'gblur=sigma=40', /^camera_obscured$/],
    ['turned', 'crop=iw/2:ih/2:iw/2:ih/2', /^scene_changed$/],
    [
      'mostly behind a box',
      'drawbox=w=iw*0.85:h=ih*0.85:t=fill:color=black',
      /^camera_obscured$|^scene_changed$/,
    ],
  ])('raises one when it is %s', async (_how, filter, type) => {
    const before = repeated(await samplesOf(clip, 'null'), 40);
    const after = repeated(await samplesOf(clip, filter), 40);
    expect(alertsOf([...before, ...after])).toEqual([expect.stringMatching(type)]);
  });
});
