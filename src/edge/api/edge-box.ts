import type { LivePictures } from '../../api/live-pictures.ts';
import type { BoxConfiguration, LocalBox, ModelView } from '../../api/local-box.ts';
import type { Config } from '../../config/schema.ts';
import { ModelStore } from '../../models/model-store.ts';
import { Gallery } from '../../people/gallery.ts';
import { keyPlace } from '../../people/key-file.ts';
import type { GalleryServiceSettings } from '../../people/service/calls.ts';
import { GalleryService } from '../../people/service/gallery-service.ts';
import type { Clock } from '../../system/clock.ts';
import { ApexError } from '../../system/errors.ts';
import type { LogRing } from '../../system/log-ring.ts';
import type { Logger } from '../../system/logger.ts';
import type { CameraSet } from '../cameras/camera-set.ts';
import { StreamRequests } from '../cameras/stream-requests.ts';
import type { EdgeParts } from '../parts.ts';
import { configuredModelsDir } from '../vision-spec.ts';
import { supportBundle } from './support-bundle.ts';

export interface EdgeBoxDeps {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly parts: EdgeParts;
  readonly cameras: CameraSet;
  readonly pictures: LivePictures;
  readonly configuration: BoxConfiguration;
  readonly pages: Pick<LocalBox, 'status' | 'metrics' | 'deadLetters'>;
  readonly logs: LogRing;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the local API needs, put together of the parts of the daemon. */
export interface EdgeBox extends LocalBox {
  stop(): Promise<void>;
}

export function edgeBox(deps: EdgeBoxDeps): EdgeBox {
  const { config, env, parts, cameras, pictures, configuration, pages, logs, clock, log } = deps;
  const { edgeId, journal, evidence, live: events } = parts;
  const gallery = new GalleryService({ settings: () => gallerySettings(config, env), clock, log });
  const requests = new StreamRequests({ isEnabled: true, log });
  requests.serve(cameras);
  return {
    ...{ edgeId, journal, evidence, events, cameras, requests, pictures, configuration, logs },
    ...pages,
    people: {
      call: (call) => gallery.call(call),
      forget: (personId) => {
        const { people, peopleFault } = parts;
        if (people === null)
          return Promise.reject(peopleFault ?? new ApexError('STORE_UNREADABLE', 'no gallery'));
        return people.forget(personId);
      },
      faceOfEvent: (cameraId, eventId) => readFace(evidence, cameraId, eventId),
    },
    models: async () => modelsOf(config, env),
    supportBundle: () => supportBundle({ edgeId, pages, configuration, logs, clock }),
    stop: () => gallery.stop(),
  };
}

async function readFace(
  evidence: LocalBox['evidence'],
  cameraId: string,
  eventId: string,
): Promise<Uint8Array | null> {
  const file = await evidence.open('face', cameraId, eventId);
  if (file === null) return null;
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function gallerySettings(config: Config, env: NodeJS.ProcessEnv): GalleryServiceSettings {
  const { data_dir: dataDir } = config.edge;
  const { detector, embedding, landmarks, min_width_px: minWidthPx } = config.faces;
  const store = new ModelStore({ dir: configuredModelsDir(config), env });
  const installed = (name: string): string | null => {
    const listing = store.list().find((model) => model.name === name);
    return listing === undefined ? store.resolve(name) : listing.installed ? listing.path : null;
  };
  const [found, described] = [installed(detector), installed(embedding)];
  const points = landmarks === null ? null : installed(landmarks);
  const isWhole = found !== null && described !== null && (landmarks === null || points !== null);
  return {
    path: Gallery.pathIn(dataDir),
    key: keyPlace(dataDir, config.people.key_file, env),
    models: isWhole
      ? { detector: found, embedding: described, landmarks: points, minWidthPx }
      : null,
  };
}

function modelsOf(config: Config, env: NodeJS.ProcessEnv): ModelView[] {
  const { detector, faces, cameras } = config;
  const hasFaces = Object.values(cameras).some((camera) => camera.faces.enabled);
  const facesInUse = hasFaces ? [faces.detector, faces.embedding, faces.landmarks] : [];
  const inUse = new Set<string | null>([detector.model, ...facesInUse]);
  const store = new ModelStore({ dir: configuredModelsDir(config), env });
  return store.list().map(({ name, title, licence, installed }) => ({
    name,
    purpose: title,
    licence: licence ?? 'known to its owner only',
    is_installed: installed,
    is_in_use: inUse.has(name),
  }));
}
