import type { Config } from '../config/schema.ts';
import { configuredModelsDir } from '../edge/vision-spec.ts';
import type { FaceReader } from '../faces/contract.ts';
import { openFaceEngine } from '../faces/open-face-engine.ts';
import { DEFAULT_GATE } from '../faces/quality.ts';
import { ModelStore } from '../models/model-store.ts';

/** Opens what finds and describes faces, with the models that the configuration names. */
export type OpenFaceReader = (config: Config) => Promise<FaceReader>;

/** Photos that people are enrolled from are looked at more closely than the pictures of cameras. */
const SIDE_PX = 640;
const THREADS = 2;

/** @throws ApexError MODEL_NOT_INSTALLED and as `openFaceEngine` does */
export const openConfiguredFaceReader: OpenFaceReader = (config) => {
  const { detector, embedding, landmarks, min_width_px: minWidthPx } = config.faces;
  const models = new ModelStore({ dir: configuredModelsDir(config), env: process.env });
  return openFaceEngine({
    detector: models.resolve(detector),
    embedding: models.resolve(embedding),
    landmarks: landmarks === null ? null : models.resolve(landmarks),
    side: SIDE_PX,
    gate: { ...DEFAULT_GATE, minWidthPx },
    executionProviders: ['cpu'],
    threads: THREADS,
  });
};
