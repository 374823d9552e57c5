import type { CameraFault } from '../../capture/contract.ts';
import type { AlertTriggered } from '../../protocol/payloads.ts';
import { FoldWindow } from './fold-window.ts';
import {
  type CameraEntry,
  durationInWords,
  foldedAlert,
  type LookTime,
  type OpenCondition,
} from './told-alert.ts';

/** Changes between streaming and not in `FLAP_MS`; more are told in one alert. */
const FLAP_CHANGES = 3;
const FLAP_MS = 600_000;
/** A gap as short as this, such as between two clips, is none. */
const BLINK_MS = 3000;

export interface CameraOutagesOptions {
  /** Without a picture for so long, a camera is offline. */
  readonly graceMs: number;
  readonly severity: AlertTriggered['severity'];
}

/** A camera as it is now. */
export interface CameraPresence {
  readonly cameraId: string;
  /** `unwatched`: nobody wants its picture, or there is no more of it. */
  readonly state: 'streaming' | 'away' | 'unwatched';
  readonly fault: CameraFault | null;
}

/** An outage that was told and is not over. */
export interface ToldOutage {
  readonly cameraId: string;
  readonly kind: 'offline' | 'flapping';
  /** Monotonic time of its beginning. */
  readonly sinceMs: number;
}

interface Known {
  isStreaming: boolean;
  hasStreamed: boolean;
  /** Since when it streams or does not. */
  sinceMs: number;
  /** Since when it does not, while that may be a short gap. */
  awaySinceMs: number | null;
  changes: number[];
  told: Pick<ToldOutage, 'kind' | 'sinceMs'> | null;
  fault: CameraFault | null;
}

type Found = readonly [cameraId: string, known: Known];

/**
 * When cameras are offline, and when they are back. One that comes and goes is told of once, and cameras that go or
 * come back together are told of together. Pure: time comes in.
 */
export class CameraOutages {
  readonly #options: CameraOutagesOptions;
  readonly #cameras = new Map<string, Known>();
  readonly #going = new FoldWindow<Found>();
  readonly #flapping = new FoldWindow<Found>();
  readonly #returning = new FoldWindow<Found>();

  /** @param told outages that an earlier run of the daemon told */
  constructor(options: CameraOutagesOptions, told: readonly ToldOutage[], monoMs: number) {
    this.#options = options;
    for (const { cameraId, ...outage } of told) {
      const away = {
        isStreaming: false,
        hasStreamed: true,
        changes: [],
        fault: null,
        awaySinceMs: null,
      };
      this.#cameras.set(cameraId, { ...away, sinceMs: monoMs, told: outage });
    }
  }

  /** What is told and not over, to be kept for the next run of the daemon. */
  get told(): ToldOutage[] {
    return this.#found().flatMap(([cameraId, { told }]) => (told ? [{ cameraId, ...told }] : []));
  }

  get open(): OpenCondition[] {
    const { severity } = this.#options;
    return this.told.map(({ cameraId, kind, sinceMs }) => ({
      ...{ type: 'camera_offline', severity, cameraIds: [cameraId], sinceMs },
      why: kind === 'flapping' ? 'comes and goes' : (this.#faultOf(cameraId) ?? 'no picture'),
    }));
  }

  /** Takes in all cameras as they are now; to be called about every second. */
  look(cameras: readonly CameraPresence[], time: LookTime): AlertTriggered[] {
    const watched = cameras.filter(({ state }) => state !== 'unwatched');
    const ids = new Set(watched.map(({ cameraId }) => cameraId));
    for (const id of [...this.#cameras.keys()]) if (!ids.has(id)) this.#cameras.delete(id);
    for (const camera of watched) this.#see(camera, time.monoMs);
    return [...this.#tellGone(time), ...this.#tellFlapping(time), ...this.#tellBack(time)];
  }

  #see({ cameraId, state, fault }: CameraPresence, monoMs: number): void {
    const isStreaming = state === 'streaming';
    const known = this.#cameras.get(cameraId);
    if (known === undefined) {
      const news = { isStreaming, hasStreamed: isStreaming, sinceMs: monoMs };
      this.#cameras.set(cameraId, { ...news, awaySinceMs: null, changes: [], told: null, fault });
      return;
    }
    if (isStreaming) known.awaySinceMs = null;
    else known.awaySinceMs ??= monoMs;
    const changedMs = known.awaySinceMs ?? monoMs;
    if (known.isStreaming !== isStreaming && (isStreaming || monoMs - changedMs >= BLINK_MS)) {
      // That it connects for the first time is no change.
      if (known.hasStreamed) known.changes.push(changedMs);
      known.isStreaming = isStreaming;
      known.sinceMs = changedMs;
    }
    known.hasStreamed ||= isStreaming;
    known.changes = known.changes.filter((changeMs) => monoMs - changeMs < FLAP_MS);
    // While it connects anew there is none; why it went away stays.
    known.fault = isStreaming ? null : (fault ?? known.fault);
  }

  #tellGone(time: LookTime): AlertTriggered[] {
    const { graceMs, severity } = this.#options;
    const due = this.#found().filter(([, { isStreaming, told, sinceMs, changes }]) => {
      const awayMs = time.monoMs - sinceMs;
      if (isStreaming || told?.kind === 'offline') return false;
      // After so long it does not come and go any more: it is gone.
      if (told !== null) return awayMs >= FLAP_MS;
      return awayMs >= graceMs && changes.length <= FLAP_CHANGES;
    });
    const gone = this.#going.gather(due, time.monoMs);
    if (gone.length === 0) return [];
    const entries = gone.map(([cameraId, known]) => {
      known.told = { kind: 'offline', sinceMs: known.sinceMs };
      const away = durationInWords(time.monoMs - known.sinceMs);
      const why = `${cameraId} has sent no picture for ${away}${reasonOf(known)}`;
      return this.#entry(cameraId, known, why, time);
    });
    const what = 'are offline';
    return [foldedAlert({ type: 'camera_offline', severity, what }, entries, time)];
  }

  #tellFlapping(time: LookTime): AlertTriggered[] {
    const due = this.#found().filter(
      ([, { told, changes }]) => told?.kind !== 'flapping' && changes.length > FLAP_CHANGES,
    );
    const flapping = this.#flapping.gather(due, time.monoMs);
    if (flapping.length === 0) return [];
    const entries = flapping.map(([cameraId, known]) => {
      const count = known.changes.length;
      const sinceMs = known.told?.sinceMs ?? known.changes[0] ?? time.monoMs;
      known.told = { kind: 'flapping', sinceMs };
      const why = `${cameraId} came or went ${count} times in ${durationInWords(FLAP_MS)}${reasonOf(known)}`;
      return { ...this.#entry(cameraId, known, why, time), flapping: true, changes: count };
    });
    const { severity } = this.#options;
    const what = 'come and go';
    const alert = foldedAlert({ type: 'camera_offline', severity, what }, entries, time);
    const changes = Math.max(...entries.map((entry) => entry.changes));
    return [{ ...alert, data: { ...alert.data, flapping: true, changes } }];
  }

  #tellBack(time: LookTime): AlertTriggered[] {
    const due = this.#found().filter(([, { isStreaming, told, sinceMs }]) => {
      const quietMs = told?.kind === 'flapping' ? FLAP_MS : 0;
      return isStreaming && told !== null && time.monoMs - sinceMs >= quietMs;
    });
    const back = this.#returning.gather(due, time.monoMs);
    if (back.length === 0) return [];
    const entries = back.map(([cameraId, known]): CameraEntry => {
      const outageMs = known.sinceMs - (known.told?.sinceMs ?? known.sinceMs);
      const wasFlapping = known.told?.kind === 'flapping';
      known.told = null;
      const what = wasFlapping ? 'has been steady again after' : 'is back after';
      return {
        ...{ camera_id: cameraId, why: `${cameraId} ${what} ${durationInWords(outageMs)}` },
        offline_s: Math.round(outageMs / 1000),
        since: wallOf(known.sinceMs, time),
        ...(wasFlapping && { flapping: true }),
      };
    });
    const what = 'are back';
    return [foldedAlert({ type: 'camera_online', severity: 'low', what }, entries, time)];
  }

  #entry(cameraId: string, known: Known, why: string, time: LookTime): CameraEntry {
    const { fault, told, sinceMs } = known;
    return {
      camera_id: cameraId,
      why,
      since: wallOf(told?.sinceMs ?? sinceMs, time),
      ...(fault && { error_code: fault.code, error_message: fault.message, remedy: fault.remedy }),
    };
  }

  #found(): Found[] {
    return [...this.#cameras];
  }

  #faultOf(cameraId: string): string | undefined {
    return this.#cameras.get(cameraId)?.fault?.message;
  }
}

function reasonOf({ fault }: Known): string {
  return fault === null ? '' : `: ${fault.message}`;
}

/** Unix milliseconds of a monotonic time. */
function wallOf(sinceMs: number, { monoMs, wallMs }: LookTime): number {
  return Math.round(wallMs - (monoMs - sinceMs));
}
