import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { CameraPipeline } from '../../src/edge/cameras/camera-pipeline.ts';
import type { FaceReader, FaceSample, KnownPerson } from '../../src/faces/contract.ts';
import { openFaceEngine } from '../../src/faces/open-face-engine.ts';
import { DEFAULT_GATE } from '../../src/faces/quality.ts';
import { CameraFaces } from '../../src/faces/recognition/camera-faces.ts';
import type { FaceDetectionResult, ObjectEvent } from '../../src/protocol/payloads.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLogger } from '../../src/system/logger.ts';
import type { FacesReport } from '../../src/vision/contract.ts';
import { VisionHandle } from '../../src/vision/handle.ts';
import { clipPath, modelPath } from './assets.ts';
import { pulledModel } from './face-models.ts';
import { clipCamera, detectorSpec } from './vision.ts';

export type FaceSet = 'yunet' | 'ultra-light';

/** Paths of the models of a set; what npm alone brings is fetched as a user fetches it. */
async function faceModels(set: FaceSet) {
  const embedding = await pulledModel('face-embedding');
  if (set === 'yunet')
    return { detector: modelPath('face_detection_yunet_2026may.onnx'), embedding, landmarks: null };
  const [detector, landmarks] = [
    await pulledModel('ultra-light-face'),
    await pulledModel('face-landmarks'),
  ];
  return { detector, embedding, landmarks };
}

export async function faceReader(set: FaceSet): Promise<FaceReader> {
  const models = await faceModels(set);
  return await openFaceEngine({ ...models, side: 640, executionProviders: ['cpu'], threads: 1 });
}

/** Faces of a photo, largest first. */
export async function facesOf(reader: FaceReader, path: string): Promise<FaceSample[]> {
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return await reader.read({ pixels: data, width: info.width, height: info.height });
}

/** The people of the portraits, each by the first photo alone. */
export async function portraits(reader: FaceReader): Promise<KnownPerson[]> {
  const folder = clipPath('portraits');
  const first = readdirSync(folder).filter((name) => !/2\.\w+$/.test(name));
  const people: KnownPerson[] = [];
  for (const name of first) {
    const [face] = await facesOf(reader, join(folder, name));
    if (!face?.embedding) throw new Error(`no face in ${name}`);
    const personId = name.replace(/\.\w+$/, '');
    people.push({
      ...{ personId, name: personId, threatLevel: 'safe', positives: [face.embedding] },
      negatives: [],
    });
  }
  return people;
}

/** What a clip gives when its people are compared with these. Every frame is analysed, as fast as the machine can. */
export async function recognise(
  clip: string,
  people: readonly KnownPerson[] | null,
  options: { preparedDir: string; set?: FaceSet },
) {
  const vision = new VisionHandle({ clock: systemClock, random: () => 0, log: silentLogger });
  const results: FaceDetectionResult[] = [];
  const events = new Map<string, ObjectEvent>();
  const crops = new Map<string, Uint8Array>();
  const store = {
    enqueue: async (items: { type: string; data: FaceDetectionResult }[]) => {
      for (const { type, data } of items) if (type === 'face_detection_result') results.push(data);
    },
    recordEvent: async (event: ObjectEvent) => {
      events.set(event.event_id, event);
    },
  };
  const snapshot = { maxWidth: 1280, maxHeight: 720, hidden: [] };
  const spec = clipCamera('clip', clipPath(clip), {}, { snapshot, labels: ['person'] });
  const recognition =
    people &&
    new CameraFaces({
      ...{ limits: { minSimilarity: 0.4, margin: 0.08 }, minWidthPx: 36 },
      people: () => people,
    });
  const pipeline = new CameraPipeline(spec, {
    ...{ vision, clock: systemClock, random: Math.random, log: silentLogger },
    store: store as unknown as Store,
    rulesFor: () => null,
    masksFor: () => [],
    journal: { event: () => undefined, alert: () => undefined, hasUnstoredAlerts: false },
    live: { publish: () => undefined },
    pictures: { frame: () => undefined },
    thumbnailPost: { send: () => undefined },
    facesFor: () =>
      recognition as ReturnType<ConstructorParameters<typeof CameraPipeline>[1]['facesFor']>,
    evidence: {
      ...{ snapshots: null, clipsOf: () => null },
      faces: {
        save: async ({ eventId }: { eventId: string }, jpeg: Uint8Array) => {
          crops.set(eventId, jpeg);
          return '';
        },
      },
    } as unknown as ConstructorParameters<typeof CameraPipeline>[1]['evidence'],
  });
  let frames = 0;
  let report: FacesReport | null = null;
  const times = { first: 0, last: 0 };
  const finished = new Promise<void>((resolve) => {
    vision.on('result', (result) => {
      times.last = systemClock.monotonicMs();
      if (frames++ === 0) times.first = times.last;
      pipeline.frame(result);
    });
    vision.on('faces', (ready) => {
      report = ready;
    });
    vision.on('camera', (status) => {
      pipeline.statusChanged(status);
      if (status.state === 'finished') resolve();
    });
  });
  const { preparedDir, set = 'yunet' } = options;
  vision.start({
    detector: detectorSpec(preparedDir, { labels: ['person'], minScore: 0.1 }),
    faces: people && { ...(await faceModels(set)), gate: { ...DEFAULT_GATE, minWidthPx: 36 } },
    cameras: [spec],
    ffmpegPath: 'ffmpeg',
  });
  await finished;
  await pipeline.shutdown();
  await vision.stop();
  const seconds = (times.last - times.first) / 1000;
  return { frames, seconds, report: report as FacesReport | null, results, events, crops };
}
