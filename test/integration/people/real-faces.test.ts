import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { stringify } from 'yaml';
import { peopleCommand } from '../../../src/cli/people-command.ts';
import { clipPath, modelPath, testWithAssets } from '../../support/assets.ts';
import { pulledModel } from '../../support/face-models.ts';
import { temporaryFolder } from '../../support/program.ts';

const DETECTOR = 'face_detection_yunet_2026may.onnx';
const real = testWithAssets({ models: DETECTOR }, { media: 'portraits/obama.jpg' });

describe('with the models of the configuration', () => {
  let out: string[];
  let err: string[];
  beforeEach(() => {
    out = [];
    err = [];
    vi.spyOn(console, 'log').mockImplementation((text) => void out.push(String(text)));
    vi.spyOn(console, 'error').mockImplementation((text) => void err.push(String(text)));
  });
  afterEach(() => vi.restoreAllMocks());

  real('photos are enrolled, and one of somebody else is warned about', async () => {
    const folder = temporaryFolder('real-faces');
    const config = join(folder, 'config.yaml');
    const faces = { detector: modelPath(DETECTOR), embedding: await pulledModel('face-embedding') };
    mkdirSync(join(folder, 'data'));
    writeFileSync(config, stringify({ edge: { data_dir: join(folder, 'data') }, faces }));
    const people = async (...args: string[]): Promise<string> => {
      await peopleCommand().parseAsync([...args, '--config', config], { from: 'user' });
      return out.at(-1) ?? '';
    };
    const portrait = (name: string) => clipPath(join('portraits', name));
    const obama = await people('add', 'Barack Obama');
    await people('enroll', obama, portrait('obama.jpg'), portrait('obama2.jpg'));
    expect(out.filter((line) => /: enrolled, quality 0\.\d\d$/.test(line))).toHaveLength(2);
    expect(err).toEqual([]);
    const biden = await people('add', 'Joe Biden');
    await people('enroll', biden, portrait('biden.jpg'));
    expect(err).toEqual([]);
    await people('enroll', biden, portrait('obama2.jpg'));
    expect(err).toEqual([
      expect.stringContaining(`resembles Barack Obama (${obama}) more: 1.00`),
      expect.stringContaining('hardly resembles the earlier ones'),
    ]);
  });
});
