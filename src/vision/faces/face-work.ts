import sharp from 'sharp';
import type { RgbPicture } from '../../faces/contract.ts';
import type { FaceEngine } from '../../faces/face-engine.ts';
import { openFaceEngine } from '../../faces/open-face-engine.ts';
import { asApexError } from '../../system/errors.ts';
import type { ExecutionProvider, FacesReport, FacesSpec } from '../contract.ts';
import { PROVIDER_CHAIN } from '../detector-session.ts';
import type { CropFace } from '../worker-protocol.ts';
import { faceOfPerson } from './face-choice.ts';

/** Side of the detector's input, pixels: a head region needs no more. */
const SIDE = 320;
/** Around a face that is kept, in shares of its size. */
const CROP_MARGIN = 0.4;
const CROP_SIDE = 160;
const JPEG_QUALITY = 85;

/** What a worker does with the faces of people. */
export class FaceWork {
  readonly #engine: FaceEngine;

  /**
   * On the provider that runs the detector, else on the CPU. Never throws: a worker without faces still finds objects.
   */
  static async open(
    spec: FacesSpec,
    options: { provider: ExecutionProvider; threads: number },
  ): Promise<{ work: FaceWork | null; report: FacesReport }> {
    const chain =
      options.provider === 'cpu' ? ['cpu' as const] : [options.provider, 'cpu' as const];
    const refused: FacesReport['refused'][number][] = [];
    for (const provider of chain) {
      try {
        const engine = await openFaceEngine({
          ...spec,
          side: SIDE,
          executionProviders: PROVIDER_CHAIN[provider],
          threads: options.threads,
        });
        const report = { provider, refused, fault: null, embedding: engine.embeddingModel };
        return { work: new FaceWork(engine), report };
      } catch (error) {
        const fault = asApexError(error, 'VISION_FACES_FAILED').toJSON();
        refused.push({ provider, reason: fault.message });
        if (provider === 'cpu')
          return { work: null, report: { provider: null, refused, fault, embedding: null } };
      }
    }
    throw new RangeError('the CPU is always tried');
  }

  private constructor(engine: FaceEngine) {
    this.#engine = engine;
  }

  /** The face of the person whose head region a crop is; null where none is seen. */
  async read(crop: RgbPicture): Promise<CropFace | null> {
    const [sample] = await this.#engine.read(crop, (faces) => {
      const own = faceOfPerson(faces, crop);
      return own === null ? [] : [own];
    });
    if (sample === undefined) return null;
    return { sample, jpeg: sample.doubt === null ? await portrait(crop, sample.box) : null };
  }
}

/** The face with some of what is around it, as JPEG. */
async function portrait(
  { pixels, width, height }: RgbPicture,
  box: { x: number; y: number; width: number; height: number },
): Promise<Uint8Array> {
  const [across, down] = [CROP_MARGIN * box.width, CROP_MARGIN * box.height];
  const left = Math.max(0, Math.floor((box.x - across) * width));
  const top = Math.max(0, Math.floor((box.y - down) * height));
  const right = Math.min(width, Math.ceil((box.x + box.width + across) * width));
  const bottom = Math.min(height, Math.ceil((box.y + box.height + down) * height));
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize({ width: CROP_SIDE, withoutEnlargement: true })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
}
