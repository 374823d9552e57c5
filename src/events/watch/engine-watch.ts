import { type ExecutionProvider, PROVIDERS, type ProviderReport } from '../../vision/contract.ts';
import type { Finding, WatchSeverity } from './open-conditions.ts';

export interface EngineLimits {
  readonly severity: WatchSeverity;
  /** Of any sensor, degrees Celsius. */
  readonly maxCelsius: number;
  /** What the configuration asks for. */
  readonly provider: 'auto' | ExecutionProvider;
}

/** How fast a camera is analysed, frames a second. */
export interface AnalysedCamera {
  readonly cameraId: string;
  readonly fps: number;
  /** As far as the camera itself delivers that; null for all that come. */
  readonly askedFps: number | null;
  /** Frames that came and were replaced by newer ones before they could be analysed, since the start. */
  readonly dropped: number;
}

export interface EngineReading {
  readonly report: ProviderReport | null;
  /** Times that the vision process was started again, since the daemon's start. */
  readonly restarts: number;
  /** The hottest sensor; null where there is none, or nothing is known yet. */
  readonly hottest: { readonly name: string; readonly celsius: number } | null;
  readonly cameras: readonly AnalysedCamera[];
}

/** So many restarts within `RESTART_MS` are too many; none for as long, and they are over. */
const MANY_RESTARTS = 3;
const RESTART_MS = 600_000;
/** So much cooler than the limit, and it is not hot any more. */
const COOLER = 5;
/** Too hot, or too slow, for so long. */
const HOT_MS = 10_000;
const SLOW_MS = 60_000;
/** Shares of what is asked for. */
const SLOW = 0.5;
const FAST_AGAIN = 0.7;

const ABOUT = { type: 'engine_degraded', cameraId: null } as const;
const ENDED = 'engine_recovered';

/** Whether the detector runs as well as it could. Pure: time comes in. */
export class EngineWatch {
  readonly #limits: EngineLimits;
  #best: ExecutionProvider | null;
  #restarts: { count: number; atMs: number }[] = [];
  #lastCount = 0;
  #firstMs: number | null = null;
  #hotSinceMs: number | null = null;
  readonly #slow = new Map<string, { sinceMs: number; dropped: number }>();

  /** @param best that ran the detector on this box in an earlier run; null for none */
  constructor(limits: EngineLimits, best: ExecutionProvider | null) {
    this.#limits = limits;
    this.#best = best;
  }

  /** The best that ever ran the detector on this box; null for none. */
  get bestProvider(): ExecutionProvider | null {
    return this.#best;
  }

  look({ report, restarts, hottest, cameras }: EngineReading, monoMs: number): Finding[] {
    return [
      this.#provider(report),
      this.#restarting(restarts, monoMs),
      this.#heat(hottest, monoMs),
      this.#speed(cameras, monoMs),
    ].filter((finding) => finding !== null);
  }

  #provider(report: ProviderReport | null): Finding | null {
    if (report === null) return null;
    const { provider, refused } = report;
    if (this.#best === null || isBetter(provider, this.#best)) this.#best = provider;
    const { provider: asked, severity } = this.#limits;
    const wanted = asked === 'auto' ? this.#best : asked;
    const key = 'engine_degraded:provider';
    if (!isBetter(wanted, provider)) {
      const why = `the detector runs on ${provider}`;
      return { key, condition: null, ending: { type: ENDED, why, data: { provider } } };
    }
    const reason = refused.find((each) => each.provider === wanted)?.reason;
    const why = `the detector runs on ${provider}, not on ${wanted} as before or as asked for`;
    const data = { provider, wanted, ...(reason !== undefined && { reason }) };
    return {
      key,
      condition: { ...ABOUT, severity, why: reason ? `${why}: ${reason}` : why, data },
    };
  }

  #restarting(restarts: number, monoMs: number): Finding | null {
    const key = 'engine_degraded:restarts';
    this.#restarts = this.#restarts.filter(({ atMs }) => monoMs - atMs < RESTART_MS);
    const last = this.#lastCount;
    if (restarts > last) this.#restarts.push({ count: restarts - last, atMs: monoMs });
    this.#lastCount = restarts;
    const count = this.#restarts.reduce((sum, each) => sum + each.count, 0);
    this.#firstMs ??= monoMs;
    // What an earlier run saw is not over because this one has just begun.
    if (count === 0 && monoMs - this.#firstMs < RESTART_MS) return null;
    if (count === 0) {
      const why = 'the vision process has run for ten minutes';
      return { key, condition: null, ending: { type: ENDED, why } };
    }
    if (count < MANY_RESTARTS) return null;
    const { severity } = this.#limits;
    const why = `the vision process ended ${count} times in ten minutes, and was started again`;
    return { key, condition: { ...ABOUT, severity, why, data: { restarts: count } } };
  }

  #heat(hottest: EngineReading['hottest'], monoMs: number): Finding | null {
    if (hottest === null) return null;
    const key = 'engine_degraded:heat';
    const { maxCelsius, severity } = this.#limits;
    const { name, celsius } = hottest;
    const data = { sensor: name, celsius, max_celsius: maxCelsius };
    if (celsius <= maxCelsius - COOLER) {
      this.#hotSinceMs = null;
      const why = `${name} has ${celsius.toFixed(0)} °C`;
      return { key, condition: null, ending: { type: ENDED, why, data } };
    }
    if (celsius < maxCelsius) return null;
    this.#hotSinceMs ??= monoMs;
    if (monoMs - this.#hotSinceMs < HOT_MS) return null;
    const why = `${name} has ${celsius.toFixed(0)} °C, above ${maxCelsius} °C: the box slows down`;
    return { key, condition: { ...ABOUT, severity, why, data } };
  }

  #speed(cameras: readonly AnalysedCamera[], monoMs: number): Finding | null {
    const key = 'engine_degraded:speed';
    const known = new Set(cameras.map(({ cameraId }) => cameraId));
    for (const id of [...this.#slow.keys()]) if (!known.has(id)) this.#slow.delete(id);
    for (const camera of cameras) this.#time(camera, monoMs);
    if (this.#slow.size === 0) {
      const why = 'every camera is analysed about as often as asked for';
      return { key, condition: null, ending: { type: ENDED, why } };
    }
    const slow = cameras.filter(
      ({ cameraId }) => monoMs - (this.#slow.get(cameraId)?.sinceMs ?? monoMs) >= SLOW_MS,
    );
    if (slow.length === 0) return null;
    const entries = slow.map(({ cameraId, fps, askedFps, dropped }) => {
      const isBusy = dropped > (this.#slow.get(cameraId)?.dropped ?? dropped);
      const reason = isBusy ? 'the detector is too slow' : 'too few frames come';
      const why = `${cameraId}: ${fps.toFixed(1)} of ${askedFps} frames a second, ${reason}`;
      return { camera_id: cameraId, why, fps, asked_fps: askedFps, reason };
    });
    const why = entries.map((entry) => entry.why).join('; ');
    const { severity } = this.#limits;
    return { key, condition: { ...ABOUT, severity, why, data: { cameras: entries } } };
  }

  #time({ cameraId, fps, askedFps, dropped }: AnalysedCamera, monoMs: number): void {
    if (askedFps === null || fps >= askedFps * FAST_AGAIN) this.#slow.delete(cameraId);
    else if (fps < askedFps * SLOW && !this.#slow.has(cameraId))
      this.#slow.set(cameraId, { sinceMs: monoMs, dropped });
  }
}

function isBetter(one: ExecutionProvider, other: ExecutionProvider): boolean {
  return PROVIDERS.indexOf(one) < PROVIDERS.indexOf(other);
}
