import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PreparedModelSpec, preparedModel } from '../../../src/models/prepared-model.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { tinyYolo } from '../../support/tiny-yolo.ts';

let folder: string;
let spec: PreparedModelSpec;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prepared-'));
  const model = join(folder, 'own.onnx');
  writeFileSync(model, tinyYolo());
  const preparedDir = join(folder, 'cache');
  spec = { model, preparedDir, width: 320, height: 320, labels: null };
});
afterEach(() => rmSync(folder, { recursive: true }));

function files(): string[] {
  return readdirSync(spec.preparedDir).sort();
}

describe('preparedModel', () => {
  test('makes a form once and says the same of it later', async () => {
    const first = await preparedModel(spec);
    const made = statSync(first.path).mtimeMs;
    const second = await preparedModel(spec);
    expect(second).toEqual(first);
    expect(statSync(second.path).mtimeMs).toBe(made);
    expect(first).toMatchObject({
      form: 'prepared',
      formReason: null,
      outputs: ['boxes', 'scores'],
    });
    expect(files()).toHaveLength(2);
  });

  test('keeps forms of other sizes, labels and models apart', async () => {
    const paths = new Set<string>();
    paths.add((await preparedModel(spec)).path);
    paths.add((await preparedModel({ ...spec, height: 192 })).path);
    paths.add((await preparedModel({ ...spec, labels: ['class_1', 'class_0'] })).path);
    paths.add((await preparedModel({ ...spec, labels: ['class_0', 'class_1'] })).path);
    writeFileSync(spec.model, tinyYolo({ classes: 4 }));
    paths.add((await preparedModel(spec)).path);
    expect(paths.size).toBe(4);
  });

  test.each(['model', 'record'])(
    'makes a form again when its %s is damaged, and says so',
    async (part) => {
      const warnings: string[] = [];
      const logger = {
        ...silentLogger,
        warn: (_: object, event: string) => void warnings.push(event),
      };
      const { path } = await preparedModel(spec);
      const good = readFileSync(path);
      writeFileSync(part === 'model' ? path : `${path}.json`, good.subarray(0, good.length / 2));
      await preparedModel({ ...spec, logger });
      expect(readFileSync(path).equals(good)).toBe(true);
      expect(warnings).toEqual(['prepared model is damaged, making it again']);
    },
  );

  test('may be asked by several at once', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => preparedModel(spec)));
    expect(new Set(all.map(({ path }) => path)).size).toBe(1);
    expect(files()).toHaveLength(2);
  });

  test('wraps an export whose head it does not know, with the reason', async () => {
    writeFileSync(spec.model, tinyYolo({ head: 'unusual' }));
    const model = await preparedModel({ ...spec, width: 640, height: 384 });
    expect(model).toMatchObject({ form: 'wrapped', width: 320, height: 320, outputs: ['answer'] });
    expect(model.formReason).toContain('not joined from 3 feature maps');
  });

  test('builds the test detector without any file', async () => {
    const model = await preparedModel({ ...spec, model: 'test-detector', width: 640, height: 384 });
    expect(model).toMatchObject({ form: 'test-detector', labels: ['test-object'], width: 640 });
  });

  test('tells what is wrong with a model or its labels', async () => {
    await expect(preparedModel({ ...spec, labels: ['unicorn'] })).rejects.toMatchObject({
      code: 'MODEL_LABELS_UNKNOWN',
    });
    writeFileSync(spec.model, 'no model');
    await expect(preparedModel(spec)).rejects.toMatchObject({ code: 'MODEL_UNREADABLE' });
    rmSync(spec.model);
    await expect(preparedModel(spec)).rejects.toMatchObject({ code: 'MODEL_UNREADABLE' });
  });
});
