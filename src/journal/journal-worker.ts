import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../system/clock.ts';
import { JournalCore } from './journal-core.ts';
import type { JournalThreadSettings, ToThread, WriteCall } from './requests.ts';
import { failed, logTo, tell } from './thread-side.ts';

/**
 * The thread that writes the journal. `workerData`: `JournalThreadSettings`. Long work is done in slices, between which
 * calls are answered.
 */
class JournalThread {
  readonly #port: NonNullable<typeof parentPort>;
  readonly #core: JournalCore;
  /** What is to be done in slices, one after the other: true once it is done. */
  readonly #work: (() => boolean)[] = [];
  #isWorking = false;
  #isMakingRoom = false;
  #isClosed = false;

  constructor(port: NonNullable<typeof parentPort>, core: JournalCore) {
    this.#port = port;
    this.#core = core;
  }

  onMessage(message: ToThread<WriteCall>): void {
    if (message.kind === 'close') this.#close();
    else this.#take(message.id, message.call);
  }

  #take(id: number, call: WriteCall): void {
    if (call.op === 'mentions' || call.op === 'forget') {
      const slices = this.#core.person(call.op, call.person, call.eventIds);
      this.#later(() => {
        const step = this.#answered(id, () => slices.next());
        if (step?.done) this.#answer(id, step.value);
        return step === null || step.done === true;
      });
      return;
    }
    const answer = this.#answered(id, () => ({ value: this.#core.answer(call) }));
    if (answer === null) return;
    this.#answer(id, answer.value);
    this.#makeRoom();
  }

  #makeRoom(): void {
    if (this.#isMakingRoom) return;
    this.#isMakingRoom = true;
    this.#later(() => {
      let isDone = true;
      try {
        isDone = this.#core.makeRoom() === 'nothing';
      } catch (error) {
        // A disk without room for its log; the next write tells why.
        logTo(this.#port).debug({ err: String(error) }, 'journal not made smaller');
      }
      this.#isMakingRoom = !isDone;
      return isDone;
    });
  }

  #later(slice: () => boolean): void {
    this.#work.push(slice);
    if (!this.#isWorking) setImmediate(() => this.#step());
    this.#isWorking = true;
  }

  #step(): void {
    if (this.#isClosed) return;
    const [slice] = this.#work;
    if (slice?.()) this.#work.shift();
    this.#isWorking = this.#work.length > 0;
    if (this.#isWorking) setImmediate(() => this.#step());
  }

  /** Null where it was answered with an error. */
  #answered<Answer>(id: number, work: () => Answer): Answer | null {
    try {
      return work();
    } catch (error) {
      tell(this.#port, failed(id, error, this.#core.news));
      return null;
    }
  }

  #answer(id: number, answer: unknown): void {
    tell(this.#port, { kind: 'done', id, answer, error: null, news: this.#core.news });
  }

  #close(): void {
    this.#isClosed = true;
    try {
      this.#core.close();
    } catch (error) {
      logTo(this.#port).error({ err: String(error) }, 'journal not closed in good order');
    }
    this.#port.close();
  }
}

if (parentPort === null) throw new Error('journal-worker runs as a worker thread');
const settings = workerData as JournalThreadSettings;
const core = new JournalCore({ ...settings, clock: systemClock, log: logTo(parentPort) });
const thread = new JournalThread(parentPort, core);
parentPort.on('message', (message: ToThread<WriteCall>) => thread.onMessage(message));
