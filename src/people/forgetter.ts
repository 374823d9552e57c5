import { ApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import type { Gallery } from './gallery.ts';
import type { ForgottenPerson } from './scrub.ts';

/** What forgetting a person came to. */
export interface ForgetReport {
  readonly personId: string;
  /** Stored messages and events that told of the person. */
  readonly rows: number;
  /** Pictures of the face that were kept of events. */
  readonly faces: number;
  /** Snapshots of events, thumbnails and clips of alerts. */
  readonly pictures: number;
}

/** What is about a person. */
export interface PersonMatter {
  readonly eventIds: readonly string[];
  /** Alerts about these events, and alerts that tell of the person. */
  readonly alertIds: readonly string[];
}

export interface ForgetterOptions {
  readonly gallery: Gallery;
  /** What of all that is stored is about the person. */
  readonly find: (person: ForgottenPerson) => Promise<PersonMatter>;
  /** Takes the person out of all that is stored and tells the hub. To be repeated where it throws. */
  readonly erase: (person: ForgottenPerson) => Promise<PersonMatter & { readonly rows: number }>;
  /** Deletes what was kept of events and alerts. How many files there were: faces, and others. */
  readonly removeFiles: (
    matter: PersonMatter,
  ) => Promise<{ readonly faces: number; readonly others: number }>;
  readonly wallMs: () => number;
  readonly log: Logger;
}

/**
 * Forgets people, one after the other: out of the gallery first, so that nobody is recognised any more, then out of all
 * that is stored. What is begun is noted in the gallery and goes on after a crash.
 */
export class Forgetter {
  readonly #options: ForgetterOptions;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ForgetterOptions) {
    this.#options = options;
  }

  /**
   * @param onBegun the person is out of the gallery
   * @throws ApexError PEOPLE_UNKNOWN, PEOPLE_FORGETTING where traces are left for later
   */
  forget(personId: string, onBegun: () => void = () => undefined): Promise<ForgetReport> {
    return this.#inTurn(async () => {
      const { gallery, wallMs } = this.#options;
      gallery.beginForgetting(personId, wallMs());
      onBegun();
      const person = gallery.forgetting().find((one) => one.personId === personId);
      if (person === undefined) throw new Error('forgetting was not noted');
      return this.#finish(person);
    });
  }

  /** Goes on with what a crash or a full disk left; failures are told in the log and come again next time. */
  finishPending(): Promise<void> {
    return this.#inTurn(async () => {
      for (const person of this.#options.gallery.forgetting()) {
        try {
          await this.#finish(person);
        } catch (error) {
          this.#options.log.error({ err: error }, 'a person is not forgotten in whole yet');
        }
      }
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  async #finish(person: ForgottenPerson): Promise<ForgetReport> {
    const { gallery, find, erase, removeFiles } = this.#options;
    const { personId } = person;
    try {
      // While what is stored still tells whom these show: a crash must not leave them behind.
      const before = await removeFiles(await find(person));
      const erased = await erase(person);
      const after = await removeFiles(erased);
      gallery.endForgetting(personId);
      return {
        ...{ personId, rows: erased.rows, faces: before.faces + after.faces },
        pictures: before.others + after.others,
      };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ApexError('PEOPLE_FORGETTING', `stored events may still tell of them: ${reason}`, {
        cause,
      });
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#queue.then(work);
    // The failure is the caller's; the next call does not wait for it in vain.
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
