import type { FaceSample, KnownPerson } from '../contract.ts';
import { likenesses } from './matcher.ts';

/** When a face is somebody's. */
export interface IdentityLimits {
  /** Least cosine, as a mean over the faces of a track. */
  readonly minSimilarity: number;
  /** So much more than the person who is next. */
  readonly margin: number;
}

/** Who the face of a track belongs to. */
export type Identity =
  | { readonly kind: 'known'; readonly person: KnownPerson; readonly similarity: number }
  /** Compared often enough, and like nobody. */
  | { readonly kind: 'unknown'; readonly similarity: number };

/** Newest faces that count: a track that has gone over to another person is noticed. */
const WINDOW = 8;
/** One face is enough where it is of at least this quality and so much more alike than it needs to be. */
const ONE_LOOK_QUALITY = 0.35;
const ONE_LOOK_SIMILARITY = 0.05;
const LOOKS = 2;
/** Nobody is called unknown before so many faces were compared, and none is nearly alike. */
const UNKNOWN_LOOKS = 3;
const UNKNOWN_QUALITY = 0.8;
const NEARLY = 0.06;

interface Look {
  readonly quality: number;
  /** By person. */
  readonly similarity: ReadonlyMap<string, number>;
}

/** Gathers the faces of one track and decides whose they are: the mean of their likeness, weighted by quality. */
export class TrackIdentity {
  readonly #limits: IdentityLimits;
  #looks: Look[] = [];
  #identity: Identity | null = null;

  constructor(limits: IdentityLimits) {
    this.#limits = limits;
  }

  /** Null while it is not decided. */
  get identity(): Identity | null {
    return this.#identity;
  }

  /** Faces that were compared. */
  get looks(): number {
    return this.#looks.length;
  }

  /** @param face with an embedding */
  see({ embedding, quality }: FaceSample, people: readonly KnownPerson[]): Identity | null {
    if (embedding === null) return this.#identity;
    const similarity = new Map(
      likenesses(embedding, people).map((like) => [like.person.personId, like.similarity]),
    );
    this.#looks = [...this.#looks, { quality, similarity }].slice(-WINDOW);
    this.#identity = this.#decide(people) ?? this.#stillThere(people);
    return this.#identity;
  }

  #decide(people: readonly KnownPerson[]): Identity | null {
    const { minSimilarity, margin } = this.#limits;
    const [best, second] = people
      .map((person) => ({ person, similarity: this.#mean(person.personId) }))
      .sort((a, b) => b.similarity - a.similarity);
    const similarity = best?.similarity ?? -1;
    const quality = this.#looks.reduce((sum, look) => sum + look.quality, 0);
    const isAlone = similarity - (second?.similarity ?? -1) >= margin;
    const isSure =
      this.#looks.length >= LOOKS ||
      (quality >= ONE_LOOK_QUALITY && similarity >= minSimilarity + ONE_LOOK_SIMILARITY);
    if (best !== undefined && similarity >= minSimilarity && isAlone && isSure)
      return { kind: 'known', person: best.person, similarity };
    const isUnlike = similarity < minSimilarity - NEARLY;
    const isEnough = this.#looks.length >= UNKNOWN_LOOKS && quality >= UNKNOWN_QUALITY;
    return isUnlike && isEnough ? { kind: 'unknown', similarity } : null;
  }

  /** Between decisions the last one holds; of a person who is not in the gallery any more there is none. */
  #stillThere(people: readonly KnownPerson[]): Identity | null {
    const before = this.#identity;
    if (before?.kind !== 'known') return before;
    const person = people.find(({ personId }) => personId === before.person.personId);
    return person === undefined ? null : { ...before, person };
  }

  #mean(personId: string): number {
    let [sum, weights] = [0, 0];
    for (const { quality, similarity } of this.#looks) {
      const like = similarity.get(personId);
      if (like === undefined) continue;
      // Squared: a poor face is unlike everybody, its own owner too.
      sum += quality * quality * like;
      weights += quality * quality;
    }
    return weights > 0 ? sum / weights : -1;
  }
}
