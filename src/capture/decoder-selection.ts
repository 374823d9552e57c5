import type { Clock } from '../system/clock.ts';
import type { DecoderChoice, DecoderName } from './contract.ts';
import { chooseDecoder } from './decoder-ladder.ts';

/** Failures in a row after which a decoder that had passed its probe is given up. */
const FAILURES_TO_GIVE_UP = 3;

/** The decoder of one camera: chosen once per codec, replaced by software when it keeps failing. */
export class DecoderSelection {
  readonly #wanted: 'auto' | DecoderName;
  readonly #ffmpegPath: string;
  readonly #clock: Clock;
  #codec: string | null = null;
  #choice: DecoderChoice | null = null;
  #failures = 0;

  constructor(
    wanted: 'auto' | DecoderName,
    ffmpegPath: string,
    clock: Clock,
    known: { codec: string; choice: DecoderChoice } | null,
  ) {
    this.#wanted = wanted;
    this.#ffmpegPath = ffmpegPath;
    this.#clock = clock;
    this.#codec = known?.codec ?? null;
    this.#choice = known?.choice ?? null;
  }

  get choice(): DecoderChoice | null {
    return this.#choice;
  }

  async choose(codec: string): Promise<DecoderChoice> {
    if (this.#choice === null || this.#codec !== codec) {
      this.#choice = await chooseDecoder(this.#wanted, codec, this.#ffmpegPath, this.#clock);
      this.#codec = codec;
      this.#failures = 0;
    }
    return this.#choice;
  }

  /** The stream has run well with this decoder. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** @returns whether software has taken over now */
  failed(reason: string): boolean {
    this.#failures++;
    const choice = this.#choice;
    const hasAlternative = choice !== null && choice.decoder !== 'software';
    if (!hasAlternative || this.#failures < FAILURES_TO_GIVE_UP) return false;
    const words = `failed ${this.#failures} times in a row: ${reason}`;
    const refusal = { decoder: choice.decoder, reason: words };
    this.#choice = { decoder: 'software', refused: [...choice.refused, refusal] };
    this.#failures = 0;
    return true;
  }
}
