import { openFaceEngine } from '../../faces/open-face-engine.ts';
import { DEFAULT_GATE } from '../../faces/quality.ts';
import { systemClock } from '../../system/clock.ts';
import { asApexError } from '../../system/errors.ts';
import { Gallery } from '../gallery.ts';
import type { FromGalleryProcess, GalleryServiceSettings, ToGalleryProcess } from './calls.ts';
import { GalleryDesk, noModels } from './gallery-desk.ts';

/**
 * Process that keeps the gallery for the API: pictures from outside are decoded and looked at here, where nothing else
 * is that they could break, and no lock and no fsync of the file stops the daemon.
 */

/** Photos that people are enrolled from are looked at more closely than the pictures of cameras. */
const SIDE_PX = 640;
const THREADS = 2;

function deskOf({ path, key, models }: GalleryServiceSettings): GalleryDesk {
  return new GalleryDesk({
    gallery: new Gallery(path, key),
    openReader: async () => {
      if (models === null) return noModels();
      const { minWidthPx, ...paths } = models;
      const gate = { ...DEFAULT_GATE, minWidthPx };
      const how = { side: SIDE_PX, gate, executionProviders: ['cpu'], threads: THREADS };
      return openFaceEngine({ ...paths, ...how });
    },
    wallMs: () => systemClock.wallMs(),
  });
}

function send(message: FromGalleryProcess): void {
  process.send?.(message);
}

let desk: (() => GalleryDesk) | null = null;
let work: Promise<void> = Promise.resolve();

async function perform({ id, call }: ToGalleryProcess & { kind: 'call' }): Promise<void> {
  try {
    const answer = await desk?.().answer(call);
    send({ kind: 'done', id, answer, error: null });
  } catch (error) {
    const failure = asApexError(error, 'STORE_UNREADABLE').toJSON();
    send({ kind: 'done', id, answer: null, error: failure });
  }
}

process.on('message', (message: ToGalleryProcess) => {
  if (message.kind === 'call') {
    work = work.then(() => perform(message));
    return;
  }
  let opened: GalleryDesk | null = null;
  desk = () => {
    opened ??= deskOf(message.settings);
    return opened;
  };
});
process.on('disconnect', () => process.exit(0));
