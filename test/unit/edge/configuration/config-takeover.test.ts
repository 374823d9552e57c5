import { expect, test } from 'vitest';
import { configSchema } from '../../../../src/config/schema.ts';
import { takeover } from '../../../../src/edge/configuration/config-takeover.ts';

const WHOLE = '0,0,1,0,1,1,0,1';
const config = (cameras: object, more: object = {}) =>
  configSchema.parse({
    cameras: { hall: { url: 'rtsp://hall/' }, yard: { url: 'rtsp://yard/' }, ...cameras },
    ...more,
  });

test('places of a camera concern that camera', () => {
  const wanted = config({ hall: { url: 'rtsp://hall/', zones: { mat: { coordinates: WHOLE } } } });
  const change = takeover(config({}), wanted);
  expect(change).toMatchObject({ rulesOf: ['hall'], privacyOf: [], needsRestart: [] });
  expect(change.config).toEqual(wanted);
});

test('rules concern all, privacy masks their camera', () => {
  const masks = { privacy_masks: { window: { coordinates: WHOLE } } };
  const wanted = config({ yard: { url: 'rtsp://yard/', ...masks } }, { rules: { any: {} } });
  const change = takeover(config({}), wanted);
  expect(change).toMatchObject({
    rulesOf: ['hall', 'yard'],
    privacyOf: ['yard'],
    needsRestart: [],
  });
});

test('all else waits for the next start, and is as it was until then', () => {
  const wanted = config(
    {
      hall: { url: 'rtsp://hall/other', zones: { mat: { coordinates: WHOLE } } },
      attic: { url: 'rtsp://attic/' },
    },
    { detector: { workers: 2 } },
  );
  const { config: inForce, rulesOf, needsRestart } = takeover(config({}), wanted);
  expect([...needsRestart].sort()).toEqual([
    'cameras.attic',
    'cameras.hall.url',
    'detector.workers',
  ]);
  expect(rulesOf).toEqual(['hall']);
  expect(inForce.cameras.hall).toMatchObject({ url: 'rtsp://hall/', zones: { mat: {} } });
  expect(Object.keys(inForce.cameras)).toEqual(['hall', 'yard']);
});

test('a camera that the file lacks goes on until the next start', () => {
  const wanted = configSchema.parse({ cameras: { hall: { url: 'rtsp://hall/' } } });
  expect(takeover(config({}), wanted)).toMatchObject({
    needsRestart: ['cameras.yard'],
    rulesOf: [],
  });
});
