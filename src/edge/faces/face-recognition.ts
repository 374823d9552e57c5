import type { FacesView } from '../../api/edge-status.ts';
import type { Config } from '../../config/schema.ts';
import type { KnownPerson } from '../../faces/contract.ts';
import { DEFAULT_GATE } from '../../faces/quality.ts';
import { CameraFaces } from '../../faces/recognition/camera-faces.ts';
import { type ApexError, asApexError } from '../../system/errors.ts';
import type { FacesReport, FacesSpec, PersonFace } from '../../vision/contract.ts';

type FaceSections = Pick<Config, 'faces' | 'cameras'>;

/** Where the people are that can be recognised. */
export interface People {
  /** Those with embeddings of this model, now. */
  known(embeddingModel: string): readonly KnownPerson[];
}

/** Face recognition of this box: on which cameras, with which models, and whom it knows. */
export class FaceRecognition {
  readonly #config: FaceSections;
  readonly #people: People;
  /** What the vision process is to load; null where no camera asks for faces, or they cannot be read. */
  readonly spec: FacesSpec | null;
  /** Why the models cannot be used although a camera asks for faces. */
  readonly fault: ApexError | null;
  #embedding: string | null = null;

  /** @param resolve path of an installed model; throws ApexError */
  constructor(config: FaceSections, resolve: (model: string) => string, people: People) {
    this.#config = config;
    this.#people = people;
    const isWanted = Object.values(config.cameras).some(
      ({ enabled, faces }) => enabled && faces.enabled,
    );
    const plan = isWanted ? planFaces(config, resolve) : { spec: null, fault: null };
    this.spec = plan.spec;
    this.fault = plan.fault;
  }

  /** The vision process has said what reads faces. */
  ready({ embedding }: FacesReport): void {
    this.#embedding = embedding;
  }

  /** Recognition on a camera, with a state of its own; null where it is off. */
  forCamera(cameraId: string): CameraFaces<PersonFace> | null {
    const { cameras, faces } = this.#config;
    if (this.spec === null || cameras[cameraId]?.faces.enabled !== true) return null;
    return new CameraFaces({
      limits: { minSimilarity: faces.min_similarity, margin: faces.min_margin },
      minWidthPx: faces.min_width_px,
      people: () => (this.#embedding === null ? [] : this.#people.known(this.#embedding)),
    });
  }

  /** Null where no camera asks for faces. */
  view(report: FacesReport | null): FacesView | null {
    if (this.spec === null && this.fault === null) return null;
    const { detector, embedding } = this.#config.faces;
    return {
      ...{ detector, embedding },
      provider: report?.provider ?? null,
      people: this.#embedding === null ? null : this.#people.known(this.#embedding).length,
      fault: this.fault?.toJSON() ?? report?.fault ?? null,
    };
  }
}

function planFaces(
  { faces }: FaceSections,
  resolve: (model: string) => string,
): { spec: FacesSpec | null; fault: ApexError | null } {
  const { detector, embedding, landmarks, min_width_px: minWidthPx } = faces;
  try {
    const spec = {
      detector: resolve(detector),
      embedding: resolve(embedding),
      landmarks: landmarks === null ? null : resolve(landmarks),
      gate: { ...DEFAULT_GATE, minWidthPx },
    };
    return { spec, fault: null };
  } catch (error) {
    return { spec: null, fault: asApexError(error, 'MODEL_NOT_INSTALLED') };
  }
}
