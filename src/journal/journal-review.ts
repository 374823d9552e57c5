import { ApexError } from '../system/errors.ts';
import type { JournalAlert, JournalEvent } from './contract.ts';
import type { JournalThread } from './journal-thread.ts';
import type { WriteAnswers, WriteCall } from './requests.ts';
import type { ReviewCall } from './review-changes.ts';

const MOST_IDS = 1000;
const LONGEST_NAME = 256;
const LONGEST_NOTE = 2000;

/**
 * What people say of events and alerts. `by` says who, 1 to 256 characters. Each method returns the rows that it changed,
 * as they are now: what was said before, or is about an unknown id, changes none. Every method throws JOURNAL_INPUT,
 * JOURNAL_FULL, JOURNAL_IO, JOURNAL_BUSY, JOURNAL_CLOSED.
 */
export class JournalReview {
  readonly #thread: Pick<JournalThread<WriteCall, WriteAnswers>, 'call'>;

  constructor(thread: Pick<JournalThread<WriteCall, WriteAnswers>, 'call'>) {
    this.#thread = thread;
  }

  /** Somebody has looked at these events; who was first stands. At most 1000 ids. */
  async markReviewed(ids: readonly string[], by: string): Promise<readonly JournalEvent[]> {
    return (await this.#change({ op: 'markReviewed', ids, by })).events;
  }

  /** An event shows nothing of what it says; or it does after all. */
  async falsePositive(id: string, isFalse: boolean, by: string): Promise<readonly JournalEvent[]> {
    return (await this.#change({ op: 'falsePositive', id, isFalse, by })).events;
  }

  /** Somebody takes care of these alerts; who was first stands. At most 1000 ids. */
  async acknowledge(ids: readonly string[], by: string): Promise<readonly JournalAlert[]> {
    return (await this.#change({ op: 'acknowledge', ids, by })).alerts;
  }

  /** @param text 1 to 2000 characters; an alert has at most 100 notes */
  async addNote(id: string, text: string, by: string): Promise<readonly JournalAlert[]> {
    if (text.trim() === '' || text.length > LONGEST_NOTE)
      throw new ApexError('JOURNAL_INPUT', `a note has 1 to ${LONGEST_NOTE} characters`);
    return (await this.#change({ op: 'addNote', id, text, by })).alerts;
  }

  async #change(change: ReviewCall): Promise<WriteAnswers['review']> {
    const { by } = change;
    if (by === '' || by.length > LONGEST_NAME)
      throw new ApexError('JOURNAL_INPUT', `by: 1 to ${LONGEST_NAME} characters`);
    if ('ids' in change && change.ids.length > MOST_IDS)
      throw new ApexError('JOURNAL_INPUT', `at most ${MOST_IDS} ids at once`);
    return this.#thread.call<'review'>({ op: 'review', change });
  }
}
