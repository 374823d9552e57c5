import type { Clock } from '../system/clock.ts';
import type {
  DecoderName,
  FrameMeta,
  FrameSink,
  ModelGeometry,
  PictureSize,
  StreamInfo,
} from './contract.ts';
import { type Diagnosis, diagnose, diagnosis } from './diagnosis.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { FrameAssembly } from './frame-assembly.ts';
import type { PictureChange } from './picture-change.ts';
import { StreamInfoReader, sameVideo } from './stream-info.ts';

/** Everything that one run of ffmpeg needs. */
export interface ConnectionPlan {
  ffmpegPath: string;
  args: readonly string[];
  script: string | null;
  kind: 'rtsp' | 'file';
  decoder: DecoderName;
  /** The video that the geometry was made for. */
  stream: StreamInfo;
  geometry: ModelGeometry;
  pictureSize: PictureSize | null;
}

export interface ConnectionEvents {
  /** Time of the frame that is complete just now; frames count from 0. */
  timeOf(index: number): FrameMeta;
  /** A frame has been handed over. */
  onFrame(changed: boolean): void;
  /** The sink asked for a pause, and the capture obeys. */
  onPause(): void;
}

export type ConnectionEnd =
  | { kind: 'ended'; cause: Diagnosis; frames: number; exitedWell: boolean }
  /** The camera now sends another codec or size than planned for; nothing of it was delivered. */
  | { kind: 'changed'; stream: StreamInfo };

const SEGMENT_LINE = /^\[segment @ [^\]]*\] \[info\] Opening '/;
const KEPT_LINES = 60;
const KEPT_LINE_LENGTH = 500;

/** One run of ffmpeg that plays a camera into its sink. */
export class CameraConnection {
  readonly #plan: ConnectionPlan;
  readonly #sink: FrameSink;
  readonly #events: ConnectionEvents;
  readonly #pictureChange: PictureChange;
  readonly #canPause: boolean;
  readonly #reader = new StreamInfoReader();
  readonly #lines: string[] = [];
  readonly #flows: FrameAssembly[] = [];
  #process: FfmpegProcess | null = null;
  #changed: StreamInfo | null = null;
  #isOpen = false;
  #stopRequested = false;
  #frames = 0;

  /** @param options.canPause whether the sink may make ffmpeg wait; live cameras never wait */
  constructor(
    plan: ConnectionPlan,
    options: {
      sink: FrameSink;
      events: ConnectionEvents;
      pictureChange: PictureChange;
      canPause: boolean;
    },
  ) {
    this.#plan = plan;
    this.#sink = options.sink;
    this.#events = options.events;
    this.#pictureChange = options.pictureChange;
    this.#canPause = options.canPause;
  }

  /** Plays until the stream ends or `stop` is called. */
  async run(clock: Clock): Promise<ConnectionEnd> {
    const plan = this.#plan;
    this.#process = await FfmpegProcess.start(
      {
        path: plan.ffmpegPath,
        args: plan.args,
        stdin: plan.script,
        pictures: plan.pictureSize !== null,
        onLine: (line) => this.#onLine(line),
      },
      clock,
    );
    if (this.#stopRequested) void this.#process.stop();
    const end = await this.#process.ended;
    if (this.#isOpen) this.#sink.close();
    this.#isOpen = false;
    if (this.#changed !== null) return { kind: 'changed', stream: this.#changed };
    const exitedWell = end.code === 0;
    return { kind: 'ended', cause: this.#cause(end), frames: this.#frames, exitedWell };
  }

  /** Ends ffmpeg; `run` then resolves. */
  async stop(): Promise<void> {
    this.#stopRequested = true;
    await this.#process?.stop();
  }

  /** The sink has room again. */
  resume(): void {
    for (const flow of this.#flows) flow.resume();
  }

  #cause(end: Parameters<typeof diagnose>[0]['end']): Diagnosis {
    const { kind, decoder } = this.#plan;
    const deliveredNothing = this.#reader.complete && this.#frames === 0;
    if (this.#stopRequested && deliveredNothing && decoder !== 'software') {
      return diagnosis('CAPTURE_DECODER_FAILED', 'soon', `${decoder} delivered no pictures`);
    }
    return diagnose({ kind, end, decoder, lines: this.#lines, frames: this.#frames });
  }

  #onLine(line: string): void {
    // One for each segment of the ring: they would push out what explains an end.
    if (SEGMENT_LINE.test(line)) return;
    this.#lines.push(line.slice(0, KEPT_LINE_LENGTH));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    if (!this.#reader.read(line)) return;
    const { stream } = this.#reader;
    if (stream !== null && !sameVideo(stream, this.#plan.stream)) {
      this.#changed = stream;
      void this.#process?.stop();
    } else {
      this.#open();
    }
  }

  /** Reading starts only here, so that no frame of an unexpected shape reaches the sink. */
  #open(): void {
    if (this.#process === null || this.#stopRequested) return;
    const { stream, geometry, pictureSize } = this.#plan;
    this.#isOpen = true;
    this.#sink.open(stream, geometry, pictureSize);
    const frameBytes = geometry.modelWidth * geometry.modelHeight * 3;
    let target: Uint8Array | null = null;
    const frames = new FrameAssembly(this.#process.frames, frameBytes, {
      target: () => {
        target = this.#sink.target();
        return target;
      },
      complete: () => (target === null ? 'next' : this.#completeFrame(target)),
    });
    this.#flows.push(frames);
    if (pictureSize === null) return;
    const pictures = new FrameAssembly(
      this.#process.pictures,
      pictureSize.width * pictureSize.height * 3,
      {
        target: () => this.#sink.pictureTarget(),
        complete: () => {
          this.#sink.pictureComplete();
          return 'next';
        },
      },
    );
    this.#flows.push(pictures);
  }

  #completeFrame(frame: Uint8Array): 'next' | 'pause' {
    // Looked at before the sink may let others overwrite it.
    const changed = this.#pictureChange.differs(frame);
    const wish = this.#sink.complete(this.#events.timeOf(this.#frames));
    this.#frames++;
    this.#events.onFrame(changed);
    if (wish === 'next' || !this.#canPause) return 'next';
    this.#events.onPause();
    // Pictures run at most as far ahead as ffmpeg does.
    for (const flow of this.#flows) flow.pause();
    return 'pause';
  }
}
