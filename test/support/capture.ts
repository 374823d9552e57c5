import { readdirSync, readFileSync } from 'node:fs';
import { CameraCapture, type CameraCaptureDeps } from '../../src/capture/camera-capture.ts';
import type {
  CameraSource,
  CameraSpec,
  CameraState,
  CameraStatus,
  ModelGeometry,
  StreamInfo,
} from '../../src/capture/contract.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLogger } from '../../src/system/logger.ts';
import { CollectingSink } from './collecting-sink.ts';

/** Letterbox of any picture in 320x192. */
export function smallGeometry({ width, height }: StreamInfo): ModelGeometry {
  const [modelWidth, modelHeight] = [320, 192];
  const factor = Math.min(modelWidth / width, modelHeight / height);
  const contentWidth = Math.round(width * factor);
  const contentHeight = Math.round(height * factor);
  return {
    modelWidth,
    modelHeight,
    contentWidth,
    contentHeight,
    padLeft: Math.floor((modelWidth - contentWidth) / 2),
    padTop: Math.floor((modelHeight - contentHeight) / 2),
  };
}

/** A capture with a sink that keeps all, and every status that it told. */
export class CaptureUnderTest {
  readonly sink = new CollectingSink();
  readonly statuses: CameraStatus[] = [];
  readonly capture: CameraCapture;

  constructor(
    source: CameraSource,
    spec: Partial<CameraSpec> = {},
    deps: Partial<CameraCaptureDeps> = {},
  ) {
    this.capture = new CameraCapture(
      {
        id: 'camera',
        source,
        fps: 5,
        minScore: 0.4,
        labels: null,
        decoder: 'software',
        analysed: null,
        snapshot: null,
        ring: null,
        stallTimeoutMs: 5000,
        frozenTimeoutMs: 0,
        ...spec,
      },
      {
        clock: systemClock,
        // Retries come at once.
        random: () => 0,
        log: silentLogger,
        ffmpegPath: 'ffmpeg',
        geometryFor: smallGeometry,
        sink: this.sink,
        onStatus: (status) => this.statuses.push(status),
        ...deps,
      },
    );
    this.capture.start();
  }

  get states(): CameraState[] {
    return this.statuses
      .map(({ state }) => state)
      .filter((state, index, all) => state !== all[index - 1]);
  }

  get faultCode(): string | undefined {
    return this.capture.status.fault?.code;
  }
}

/** Command lines of all living descendants of this process. */
export function childProcesses(): { pid: number; state: string; commandLine: string }[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(name), parent: Number(parent), state, commandLine }];
      } catch {
        // It ended while being looked at.
        return [];
      }
    });
  const descendants = (pid: number): typeof all =>
    all
      .filter(({ parent }) => parent === pid)
      .flatMap((child) => [child, ...descendants(child.pid)]);
  return descendants(process.pid);
}
