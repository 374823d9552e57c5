import type { PreparedModel } from '../models/prepared-model.ts';
import { preparedModel } from '../models/prepared-model.ts';
import type { ExecutionProvider } from './contract.ts';
import { DetectorSession } from './detector-session.ts';
import { type FramePlan, frameSize } from './letterbox.ts';
import { modelLongSide } from './model-size.ts';
import type { ModelFacts, WorkerStart } from './worker-protocol.ts';

interface Size {
  width: number;
  height: number;
}

/** Frames in one run, where a run has a fixed cost that more frames can share. */
export const BATCH_LIMIT: Readonly<Record<ExecutionProvider, number>> = {
  // TensorRT builds an engine for every shape that it meets, which takes minutes each.
  tensorrt: 1,
  cuda: 4,
  cpu: 1,
};

/** Makes the forms and sessions of one detector. */
export class ModelLoader {
  readonly #start: WorkerStart;

  constructor(start: WorkerStart) {
    this.#start = start;
  }

  /** The form for frames of this size. A model that cannot be prepared has a size of its own. */
  form({ width, height }: Size): Promise<PreparedModel> {
    const { model, preparedDir, labels } = this.#start;
    return preparedModel({ model, preparedDir, labels, width, height });
  }

  /** The form for the shape of picture that is expected first, and what is known with it. */
  async firstForm(): Promise<{ form: PreparedModel; facts: ModelFacts }> {
    const longSide = await modelLongSide(this.#start.model);
    const form = await this.form(frameSize(this.#start.picture, longSide));
    const plan: FramePlan =
      form.form === 'wrapped'
        ? { kind: 'fixed', width: form.width, height: form.height }
        : { kind: 'rectangular', longSide };
    const { labels, formReason, batch } = form;
    return { form, facts: { labels, form: form.form, formReason, batch, plan } };
  }

  session(form: PreparedModel, provider: ExecutionProvider): Promise<DetectorSession> {
    const options = { provider, threads: this.#start.threads, batch: BATCH_LIMIT[provider] };
    return DetectorSession.load(form, form.path, options);
  }
}
