/** Which clip of a file camera comes next. */
export class Playlist {
  readonly #paths: readonly string[];
  readonly #loop: boolean;
  #index = 0;
  #failedInARow = 0;

  /** @param first the clip to begin with; the folder may hold fewer clips than it did */
  constructor(paths: readonly string[], loop: boolean, first = 0) {
    this.#paths = paths;
    this.#loop = loop;
    this.#index = first < paths.length ? first : 0;
  }

  get index(): number {
    return this.#index;
  }

  get current(): string | undefined {
    return this.#paths[this.#index];
  }

  /** The current clip has been played to its end. */
  played(): 'next' | 'end' {
    this.#failedInARow = 0;
    return this.#advance();
  }

  /** The current clip could not be played. `none-left`: nor could any other since the last that could. */
  failed(): 'next' | 'end' | 'none-left' {
    this.#failedInARow++;
    const noneLeft = this.#failedInARow >= this.#paths.length;
    const onward = this.#advance();
    return noneLeft ? 'none-left' : onward;
  }

  #advance(): 'next' | 'end' {
    this.#index++;
    if (this.#index < this.#paths.length) return 'next';
    this.#index = 0;
    return this.#loop ? 'next' : 'end';
  }
}
