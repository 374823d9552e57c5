import type { CameraView } from '../api/edge-status.ts';
import type { AiEngineStatus } from '../protocol/payloads.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import type { EdgeParts } from './parts.ts';

export interface EngineStatusDeps extends Pick<EdgeParts, 'store' | 'live' | 'vision'> {
  /** Of the detector. */
  readonly model: string;
  readonly cameras: (nowMs: number) => readonly CameraView[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** States of cameras that nobody need look after. */
const HEALTHY_STATES: ReadonlySet<string> = new Set(['streaming', 'finished', 'stopped']);
/** Told on every change, and at least this often. */
const TOLD_EVERY_MS = 30_000;

/** How the engine and its cameras do, told to hub and viewers. */
export class EngineStatus {
  readonly #deps: EngineStatusDeps;
  #told = { text: '', monoMs: Number.NEGATIVE_INFINITY };

  constructor(deps: EngineStatusDeps) {
    this.#deps = deps;
  }

  /** Whether it is time to tell it, changed or not. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#told.monoMs >= TOLD_EVERY_MS;
  }

  /** Tells it, when it differs from what was last told or where that is asked for. */
  tell(status: 'running' | 'stopping', isAsked = false): void {
    const { clock, vision, model } = this.#deps;
    const monoMs = clock.monotonicMs();
    const cameras = this.#deps.cameras(monoMs).map(({ camera_id, state, fps, fault }) => ({
      camera_id,
      state,
      fps: Math.round(fps * 10) / 10,
      ...(fault && { error_code: fault.code, error_message: fault.message }),
    }));
    const isDegraded = cameras.some(({ state }) => !HEALTHY_STATES.has(state));
    const text = JSON.stringify(cameras.map(({ fps: _, ...camera }) => camera)) + status;
    if (!isAsked && text === this.#told.text) return;
    this.#told = { text, monoMs };
    this.#send({
      timestamp: clock.wallMs(),
      status: status === 'running' && isDegraded ? 'degraded' : status,
      provider: vision.status.provider?.provider ?? null,
      model,
      cameras,
    });
  }

  #send(data: AiEngineStatus): void {
    const { store, live, log } = this.#deps;
    const { monoMs } = this.#told;
    const message = {
      type: 'ai_engine_status',
      cameraId: null,
      data,
      wallMs: data.timestamp,
    } as const;
    live.publish(message);
    store
      .enqueue([{ ...message, monoMs }])
      .catch((error: unknown) => log.error({ err: error }, 'engine status not stored'));
  }
}
