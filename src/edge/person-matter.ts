import type { Journal } from '../journal/journal.ts';
import type { LiveEvents } from '../live/live-events.ts';
import type { PersonMatter } from '../people/forgetter.ts';
import type { ForgottenPerson } from '../people/scrub.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';

export interface PersonMatterDeps {
  /** Null where nothing is stored. */
  readonly store: Pick<Store, 'eventsAbout' | 'forgetPerson'> | null;
  readonly journal: Pick<Journal, 'mentions' | 'forgetPerson'> | null;
  /** Null where nobody looks on. */
  readonly live: Pick<LiveEvents, 'forgetPerson'> | null;
  readonly clock: Clock;
}

const NOTHING = { rows: 0, eventIds: [], alertIds: [] };

/** What store and journal hold of a person. An event may be in one of them alone; its alerts are in the journal. */
export async function findMatter(
  { store, journal }: Pick<PersonMatterDeps, 'store' | 'journal'>,
  person: ForgottenPerson,
): Promise<PersonMatter> {
  const eventIds = (await store?.eventsAbout(person)) ?? [];
  return (await journal?.mentions(person, eventIds)) ?? { eventIds, alertIds: [] };
}

/**
 * Takes a person out of store and journal. The journal first: after a crash the store still tells which events were theirs.
 * @throws ApexError of either
 */
export async function eraseMatter(
  { store, journal, live, clock }: PersonMatterDeps,
  person: ForgottenPerson,
): Promise<PersonMatter & { readonly rows: number }> {
  live?.forgetPerson(person);
  const known = (await store?.eventsAbout(person)) ?? [];
  const written = (await journal?.forgetPerson(person, known)) ?? { ...NOTHING, eventIds: known };
  const at = { wallMs: clock.wallMs(), monoMs: clock.monotonicMs() };
  const stored = (await store?.forgetPerson(person, at)) ?? NOTHING;
  return {
    rows: written.rows + stored.rows,
    eventIds: [...new Set([...written.eventIds, ...stored.eventIds])],
    alertIds: written.alertIds,
  };
}
