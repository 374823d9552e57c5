import type { PersonEvidence, RemovedEvidence } from '../evidence/evidence-removal.ts';
import type { KnownPerson } from '../faces/contract.ts';
import type { Journal } from '../journal/journal.ts';
import type { LiveEvents } from '../live/live-events.ts';
import { type ForgetReport, Forgetter } from '../people/forgetter.ts';
import { Gallery } from '../people/gallery.ts';
import { keyPlace } from '../people/key-file.ts';
import type { Store } from '../store/store.ts';
import type { Clock, TimerHandle } from '../system/clock.ts';
import { ApexError, asApexError } from '../system/errors.ts';
import type { Logger } from '../system/logger.ts';
import { eraseMatter, findMatter } from './person-matter.ts';

export interface EdgePeopleOptions {
  readonly dataDir: string;
  /** `people.key_file` of the configuration. */
  readonly keyFile: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly store: Pick<Store, 'eventsAbout' | 'forgetPerson' | 'readmit'>;
  readonly journal: Pick<Journal, 'mentions' | 'forgetPerson' | 'readmit'>;
  readonly live: Pick<LiveEvents, 'forgetPerson'>;
  readonly evidence: { remove(evidence: PersonEvidence): Promise<RemovedEvidence> };
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the commands change in the gallery counts after so long. */
const LOOK_MS = 1000;
/** Whose time is over is forgotten at the second look in a row that finds so: a clock that jumps for a moment costs nobody. */
const UPKEEP_MS = 10 * 60_000;

/** The people of this box: who is to be recognised now, and forgetting them. */
export class EdgePeople {
  readonly #options: EdgePeopleOptions;
  readonly #gallery: Gallery;
  readonly #forgetter: Forgetter;
  #version: number;
  /** Who is known now, by embedding model: every look at a face asks. */
  readonly #known = new Map<string, readonly KnownPerson[]>();
  #nextExpiryMs: number | null = null;
  #overdue: ReadonlySet<string> = new Set();
  #upkeepAtMs = 0;
  #fault: ApexError | null = null;
  #timer: TimerHandle | null = null;

  /** @throws ApexError where the gallery cannot be opened */
  constructor(options: EdgePeopleOptions) {
    const { dataDir, keyFile, env, evidence, clock, log } = options;
    this.#options = options;
    this.#gallery = new Gallery(Gallery.pathIn(dataDir), keyPlace(dataDir, keyFile, env));
    this.#forgetter = new Forgetter({
      gallery: this.#gallery,
      find: (person) => findMatter(options, person),
      erase: (person) => eraseMatter(options, person),
      removeFiles: (matter) => evidence.remove(matter),
      wallMs: () => clock.wallMs(),
      log,
    });
    this.#version = this.#gallery.version;
  }

  /** Why nobody can be recognised although people are known; null where that can be. */
  get fault(): ApexError | null {
    return this.#fault;
  }

  /** Those whom faces may be compared with, now. Nobody where the key cannot be had: see `fault`. */
  known(embeddingModel: string): readonly KnownPerson[] {
    if (this.#isOver()) this.#known.clear();
    let known = this.#known.get(embeddingModel);
    if (known === undefined) {
      known = this.#read(embeddingModel);
      this.#known.set(embeddingModel, known);
    }
    return known;
  }

  #read(embeddingModel: string): readonly KnownPerson[] {
    const nowMs = this.#options.clock.wallMs();
    try {
      const known = this.#gallery.known(embeddingModel, nowMs);
      const ids = new Set(known.map(({ personId }) => personId));
      this.#options.store.readmit(ids);
      this.#options.journal.readmit(ids);
      this.#nextExpiryMs = this.#gallery.nextExpiryMs(nowMs);
      this.#fault = null;
      return known;
    } catch (error) {
      const fault = asApexError(error, 'STORE_UNREADABLE');
      if (fault.message !== this.#fault?.message)
        this.#options.log.error({ err: fault }, 'nobody can be recognised');
      this.#fault = fault;
      return [];
    }
  }

  /** Somebody's time has come since the people were read. */
  #isOver(): boolean {
    return this.#nextExpiryMs !== null && this.#options.clock.wallMs() >= this.#nextExpiryMs;
  }

  /** Goes on with what was begun to be forgotten, and watches the gallery from now on. */
  begin(): void {
    this.#look();
  }

  /**
   * Forgets a person everywhere on this box, and has the hub do the same.
   * @throws ApexError PEOPLE_UNKNOWN, PEOPLE_FORGETTING where traces are left for later
   */
  forget(personId: string): Promise<ForgetReport> {
    return this.#forgetter.forget(personId, () => this.#known.clear());
  }

  /** To be called before the store is closed. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#forgetter.idle();
    this.#gallery.close();
  }

  #look(): void {
    const { clock, log } = this.#options;
    // Somebody may have put the key back.
    if (this.#fault !== null) this.#known.clear();
    try {
      const { version } = this.#gallery;
      if (version !== this.#version) this.#known.clear();
      this.#version = version;
      if (clock.monotonicMs() >= this.#upkeepAtMs) this.#keepUp();
    } catch (error) {
      log.error({ err: asApexError(error, 'STORE_UNREADABLE') }, 'gallery of people');
    }
    this.#timer = clock.setTimeout(() => this.#look(), LOOK_MS);
  }

  #keepUp(): void {
    const { clock, log } = this.#options;
    this.#upkeepAtMs = clock.monotonicMs() + UPKEEP_MS;
    void this.#forgetter.finishPending();
    const overdue = this.#gallery.expired(clock.wallMs());
    for (const personId of overdue) {
      if (!this.#overdue.has(personId)) continue;
      this.forget(personId).then(
        () => log.info({ person: personId }, 'forgotten: the time of a person was over'),
        (error: unknown) => log.error({ err: error }, 'a person is not forgotten in whole yet'),
      );
    }
    this.#overdue = new Set(overdue);
  }
}

/** Of the daemon's status: why nobody can be recognised. */
export function peopleProblems(parts: {
  readonly people: EdgePeople | null;
  readonly peopleFault: ApexError | null;
}): string[] {
  const fault = parts.peopleFault ?? parts.people?.fault ?? null;
  return fault === null ? [] : [`people: ${fault.message} [${fault.code}]`];
}

/** The control socket's action that forgets a person. */
export function forgetAction(parts: {
  readonly people: EdgePeople | null;
  readonly peopleFault: ApexError | null;
}): (input: unknown) => Promise<ForgetReport> {
  return async (input) => {
    const { people, peopleFault } = parts;
    if (people === null) throw peopleFault ?? new Error('no gallery');
    const { person_id: personId } = input as { person_id?: unknown };
    if (typeof personId !== 'string') throw new ApexError('PEOPLE_UNKNOWN', 'no person was named');
    return people.forget(personId);
  };
}
