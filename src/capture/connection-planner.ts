import type { Clock } from '../system/clock.ts';
import type { ConnectionPlan } from './camera-connection.ts';
import type { CameraSpec, DecoderChoice, ModelGeometry, StreamInfo } from './contract.ts';
import { DecoderSelection } from './decoder-selection.ts';
import type { Diagnosis } from './diagnosis.ts';
import { liveScript } from './ffconcat.ts';
import { type InputAddress, playArguments } from './ffmpeg-arguments.ts';
import { type FfmpegVersion, ffmpegVersion } from './ffmpeg-version.ts';
import { fitPicture } from './picture-size.ts';
import { explainUnreachable } from './reachability.ts';
import { probeStream } from './stream-probe.ts';

export interface PlannerDeps {
  clock: Clock;
  ffmpegPath: string;
  geometryFor: (stream: StreamInfo) => ModelGeometry;
  /** What an earlier run found out, so that the first connection needs no probing. */
  hint?: { stream: StreamInfo; decoder: DecoderChoice | null; clip?: number } | undefined;
  /** Threads of one ffmpeg for decoding and scaling; default 1, null leaves it to ffmpeg. */
  threads?: number | null | undefined;
}

/** ffmpeg's own patience with the network; it knows the cause better than the stall timeout does. */
const NETWORK_TIMEOUT_MS = 5000;

/** Finds out what is needed to play a camera, and keeps it for the next time. */
export class ConnectionPlanner {
  readonly decoder: DecoderSelection;
  readonly #spec: CameraSpec;
  readonly #deps: PlannerDeps;
  /** By path of the clip; an RTSP camera's only one under ''. */
  readonly #streams = new Map<string, StreamInfo>();

  constructor(spec: CameraSpec, deps: PlannerDeps) {
    this.#spec = spec;
    this.#deps = deps;
    const { hint, ffmpegPath, clock } = deps;
    const known = hint?.decoder ? { codec: hint.stream.codec, choice: hint.decoder } : null;
    this.decoder = new DecoderSelection(spec.decoder, ffmpegPath, clock, known);
    const { source } = spec;
    if (hint)
      this.learn(source.kind === 'file' ? source.paths[hint.clip ?? 0] : undefined, hint.stream);
  }

  /** From now on this is what the camera, or the clip at `path`, is known to send. */
  learn(path: string | undefined, stream: StreamInfo): void {
    this.#streams.set(path ?? '', stream);
  }

  /**
   * The next run of ffmpeg, or why there can be none. Probes the stream where it is not known yet.
   * @param path of the clip, for a file camera
   * @throws ApexError CAPTURE_FFMPEG_MISSING, CAPTURE_ADDRESS_REFUSED
   */
  async plan(path: string | undefined, signal: AbortSignal): Promise<ConnectionPlan | Diagnosis> {
    const { source, snapshot, fps, ring: place } = this.#spec;
    const { ffmpegPath, geometryFor, threads = 1 } = this.#deps;
    const version = await ffmpegVersion(ffmpegPath);
    const input = this.#input(path);
    const script = this.#script(version);
    const stream = this.#streams.get(path ?? '') ?? (await this.#probe(input, script, signal));
    if ('fault' in stream) return stream;
    this.learn(path, stream);
    const { decoder } = await this.decoder.choose(stream.codec);
    const geometry = geometryFor(stream);
    const pictureSize = snapshot === null ? null : fitPicture(stream, snapshot);
    const { codec } = stream;
    // Segments of another connection have other names, and tell what they hold: a clip is of one form.
    const form = `${codec}_${stream.width}x${stream.height}`;
    const prefix = `${Math.round(this.#deps.clock.wallMs())}_${form}`;
    const ring = place && { ...place, prefix };
    const command = { version, input, decoder, codec, threads, fps, geometry, pictureSize, ring };
    const args = playArguments(command);
    const { kind } = source;
    return { ffmpegPath, args, script, kind, decoder, stream, geometry, pictureSize };
  }

  /** A cause that ffmpeg left open, looked into. */
  async explained(cause: Diagnosis): Promise<Diagnosis> {
    const { source } = this.#spec;
    if (cause.certain || source.kind !== 'rtsp') return cause;
    return (await explainUnreachable(source.url, this.#deps.clock)) ?? cause;
  }

  #input(path: string | undefined): InputAddress {
    const { source } = this.#spec;
    if (source.kind === 'rtsp' || path === undefined) return { kind: 'live' };
    return { kind: 'file', path, realtime: source.pace === 'realtime' };
  }

  #script(version: FfmpegVersion): string | null {
    const { source, stallTimeoutMs } = this.#spec;
    if (source.kind !== 'rtsp') return null;
    const { url, transport } = source;
    return liveScript(
      { url, transport, timeoutMs: Math.min(NETWORK_TIMEOUT_MS, stallTimeoutMs) },
      version,
    );
  }

  #probe(
    input: InputAddress,
    script: string | null,
    signal: AbortSignal,
  ): Promise<StreamInfo | Diagnosis> {
    const { ffmpegPath, clock } = this.#deps;
    return probeStream({ ffmpegPath, input, script, clock, signal });
  }
}
