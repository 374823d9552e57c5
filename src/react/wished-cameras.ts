import type { ConnectionFault } from './connection-state.ts';
import { RequestError } from './requests.ts';
import type { CameraAnswer } from './subscription.ts';

const UNSUBSCRIBED: ConnectionFault = {
  code: 'unsubscribed',
  message: 'the component gave the camera up before the server answered',
  retryable: false,
};

interface Wish {
  readonly answer: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: RequestError) => void;
}

/** The cameras that one component wants, and the promises that wait for the server's answers. */
export class WishedCameras {
  readonly #wishes = new Map<string, Wish>();

  names(): readonly string[] {
    return [...this.#wishes.keys()];
  }

  /** @returns the answer, as `subscribeToCamera` gives it; null if the camera was not wanted before */
  answerOf(camera: string): Promise<void> | null {
    return this.#wishes.get(camera)?.answer ?? null;
  }

  add(camera: string): Promise<void> {
    let resolve!: Wish['resolve'];
    let reject!: Wish['reject'];
    const answer = new Promise<void>((...settlers) => {
      [resolve, reject] = settlers;
    });
    // Most components look at `error` alone; there the refusal is shown as well.
    answer.catch(() => undefined);
    this.#wishes.set(camera, { answer, resolve, reject });
    return answer;
  }

  /** @returns false if it was not wanted */
  remove(camera: string): boolean {
    this.#wishes.get(camera)?.reject(new RequestError(UNSUBSCRIBED));
    return this.#wishes.delete(camera);
  }

  /** Settles what the server has answered. @returns the first refusal of a camera */
  settle(answerOf: (camera: string) => CameraAnswer): ConnectionFault | null {
    let refusal: ConnectionFault | null = null;
    for (const [camera, wish] of this.#wishes) {
      const answer = answerOf(camera);
      if (answer === null) continue;
      if (answer === 'served') wish.resolve();
      else {
        wish.reject(new RequestError(answer));
        refusal ??= answer;
      }
    }
    return refusal;
  }
}
