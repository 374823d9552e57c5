import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ModelStore } from '../../../src/models/model-store.ts';
import { decodeModel, encodeModel } from '../../../src/models/onnx/proto.ts';
import { tinyYolo } from '../../support/tiny-yolo.ts';

let folder: string;
let file: string;
let store: ModelStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'import-'));
  file = join(folder, 'best.onnx');
  store = new ModelStore({ dir: join(folder, 'models'), env: {} });
});
afterEach(() => rmSync(folder, { recursive: true }));

test('takes a YOLOv8 export after a run of it', async () => {
  writeFileSync(file, tinyYolo({ metadata: { names: "['helmet', 'vest', 'boots']" } }));
  const imported = await store.import(file, { name: 'site-gear' });
  expect(imported).toMatchObject({
    labels: ['helmet', 'vest', 'boots'],
    inputWidth: 320,
    form: 'prepared',
    formReason: null,
    replaced: false,
  });
  rmSync(file);
  expect(store.resolve('site-gear')).toBe(imported.path);
  expect(await store.verify('site-gear')).toMatchObject([{ state: 'ok' }]);
  expect(store.list().at(-1)).toMatchObject({
    name: 'site-gear',
    title: 'imported YOLOv8 detector, 3 classes',
    origin: 'imported',
    installed: true,
  });
});

test('takes an export whose head it cannot cut, and says so', async () => {
  writeFileSync(file, tinyYolo({ head: 'unusual' }));
  const imported = await store.import(file, { name: 'odd' });
  expect(imported.form).toBe('wrapped');
  expect(imported.formReason).toContain('is not cut');
  writeFileSync(file, tinyYolo());
  expect(await store.import(file, { name: 'odd' })).toMatchObject({
    form: 'prepared',
    replaced: true,
  });
});

test('refuses a file that has the shape and does not run', async () => {
  const model = decodeModel(tinyYolo({ head: 'unusual' }));
  model.graph!.node[0]!.opType = 'NoSuchOperator';
  writeFileSync(file, encodeModel(model));
  await expect(store.import(file, { name: 'broken' })).rejects.toMatchObject({
    code: 'MODEL_DOES_NOT_RUN',
  });
  expect(() => store.resolve('broken')).toThrow();
});

test('refuses what is no YOLOv8 model, and names that are taken or none', async () => {
  writeFileSync(file, tinyYolo({ outputShape: [1, 1000] }));
  await expect(store.import(file, { name: 'mine' })).rejects.toMatchObject({
    code: 'MODEL_NOT_YOLOV8',
  });
  for (const name of ['yolov8n', 'test-detector', '../up', 'A', '']) {
    await expect(store.import(file, { name })).rejects.toMatchObject({
      code: 'MODEL_NAME_REFUSED',
    });
  }
  await expect(store.import(join(folder, 'none'), { name: 'mine' })).rejects.toMatchObject({
    code: 'MODEL_UNREADABLE',
  });
});
