import ffmpeg from 'fluent-ffmpeg';
import type { DecoderName, ModelGeometry, PictureSize } from './contract.ts';
import { fileAddress } from './ffconcat.ts';
import { avformatAtLeast, type FfmpegVersion } from './ffmpeg-version.ts';

/**
 * The command lines of ffmpeg. The only file that knows fluent-ffmpeg, and of it only the argument builder:
 * the process is ours (ffmpeg-process.ts).
 */

/** Codecs that hardware decoders are asked for, as ffmpeg names them. */
export type AcceleratedCodec = 'h264' | 'hevc';

/** Where ffmpeg reads from: a script on its standard input (ffconcat.ts) or one file. */
export type InputAddress =
  | { kind: 'live' }
  /** `images`: the file may also be a single picture. */
  | { kind: 'file'; path: string; realtime: boolean; images?: true };

export interface PlayCommand {
  version: FfmpegVersion;
  input: InputAddress;
  decoder: DecoderName;
  codec: string;
  /** Threads for decoding and scaling; null leaves it to ffmpeg. */
  threads: number | null;
  fps: number | 'all';
  geometry: ModelGeometry;
  /** Size of the snapshot pictures on file descriptor 3; null for none. */
  pictureSize: PictureSize | null;
  /** Where the packets themselves go, as numbered segments; null for nowhere. */
  ring: { dir: string; segmentS: number; prefix: string } | null;
}

/** Padding as YOLO models were trained with: 114 in each channel. */
const PADDING_COLOR = '0x727272';

/**
 * By way of packed RGB, as the colours of reference results are made; ffmpeg's direct conversion to planes differs
 * by a few shades in places, which moved one reference score by 0.14. Costs about a millisecond of CPU a frame.
 */
const MODEL_COLOURS = 'format=rgb24,format=gbrp';

/** Whole frames are written at once; in ffmpeg's usual pieces of 32 KB they cost the reader twice the CPU time. */
const WHOLE_FRAMES = ['-avioflags', 'direct'];

/**
 * Times of copied packets: cameras with B-frames send a first picture without one, and others from before zero, which
 * no container takes. It comes at zero, and all others a second later than they say.
 */
const COPY_TIMES = "setts=pts='if(lt(PTS,-1e18),0,PTS+1/TB)':dts='if(lt(PTS,-1e18),0,DTS+1/TB)'";

/**
 * Share of the interval by which a frame may come too early and still count: timestamps of a 10 fps camera
 * jitter around 100 ms, and every second frame must stay every second frame.
 */
const EARLY_TOLERANCE = 0.1;
/** Share of the interval that lies between two frames at least, also where a period ends between them. */
const LEAST_SPACING = 0.6;

/**
 * Plays a camera: model frames on file descriptor 1, and from the very same frames pictures on descriptor 3.
 */
export function playArguments(command: PlayCommand): string[] {
  const { version, pictureSize } = command;
  const decoded = decoderOptions(command);
  const play = inputCommand(command.input, [
    ...(command.threads === null ? [] : ['-threads', `${command.threads}`]),
    ...decoded.input,
  ]);
  const graph = filterGraph(command, decoded.filters);
  const raw = [...passthrough(version), '-f', 'rawvideo', ...WHOLE_FRAMES];
  const threads = command.threads === null ? [] : ['-filter_complex_threads', `${command.threads}`];
  addOutput(play, 'pipe:1', [
    ...threads,
    '-filter_complex',
    graph,
    '-map',
    '[model]',
    ...raw,
    '-pix_fmt',
    'gbrp',
  ]);
  if (pictureSize !== null) {
    addOutput(play, 'pipe:3', ['-map', '[picture]', ...raw, '-pix_fmt', 'rgb24']);
  }
  if (command.ring !== null) {
    const copy = ['-map', '0:v:0', '-c', 'copy', '-copytb', '1', '-bsf:v', COPY_TIMES];
    addOutput(play, ringTarget(command.ring), [...copy, '-f', 'tee']);
  }
  return play._getArguments();
}

/**
 * A full disk ends only the ring: `tee` goes on as long as one of its outputs does, and the other takes everything.
 */
function ringTarget({ dir, segmentS, prefix }: NonNullable<PlayCommand['ring']>): string {
  const options = `f=segment:segment_time=${segmentS}:segment_format=mpegts:onfail=ignore`;
  const path = `${dir}/${prefix}-%06d.ts`.replaceAll(/[\\'|[\]\s]/g, '\\$&');
  return `[${options}]${path}|[f=null]-`;
}

/** Opens the input, describes its streams on standard error, and ends (with code 1, for lack of an output). */
export function describeArguments(input: InputAddress): string[] {
  return inputCommand(input, [])._getArguments();
}

/**
 * Decodes the first `frames` pictures of an Annex-B clip on standard input to grey pictures of `size` on
 * descriptor 1, scaled where `playArguments` would scale.
 */
export function decoderProbeArguments(probe: {
  decoder: DecoderName;
  codec: AcceleratedCodec;
  frames: number;
  size: PictureSize;
}): string[] {
  const decoded = decoderOptions({ ...probe, pictureSize: probe.size, geometry: null });
  const command = baseCommand('pipe:0', [
    '-xerror',
    '-protocol_whitelist',
    'pipe',
    ...decoded.input,
    '-f',
    probe.codec,
  ]);
  const scale = scaleFilter(probe.size);
  addOutput(command, 'pipe:1', [
    '-filter_complex',
    `[0:v:0]${[...decoded.filters, scale, 'format=gray'].join(',')}[probe]`,
    '-map',
    '[probe]',
    '-frames:v',
    `${probe.frames}`,
    '-f',
    'rawvideo',
  ]);
  return command._getArguments();
}

/**
 * Containers of video. What is left out are above all playlists (HLS, DASH, ffconcat, SDP): a file of a camera
 * shall not name other files or addresses.
 */
const FILE_FORMATS =
  'mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,ivf,flv,asf,ogg,mxf,mjpeg,nut,dhav,obu';

const IMAGE_FORMATS = 'image2,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe';

/** The protocols an input may use: nothing inside a stream or file can lead ffmpeg anywhere else. */
function protocolsOf(input: InputAddress): string {
  return input.kind === 'file' ? 'file' : 'pipe,rtsp,rtp,rtcp,tcp,udp,tls,crypto';
}

function inputCommand(input: InputAddress, options: readonly string[]): BuildableCommand {
  const access = ['-protocol_whitelist', protocolsOf(input)];
  if (input.kind === 'file') {
    const pace = input.realtime ? ['-re'] : [];
    const formats = input.images === true ? `${FILE_FORMATS},${IMAGE_FORMATS}` : FILE_FORMATS;
    const limits = [...access, '-format_whitelist', formats];
    return baseCommand(fileAddress(input.path), [...limits, ...pace, ...options]);
  }
  // The script names addresses of other protocols than its own: that is what `-safe 0` allows.
  const script = ['-fpsprobesize', '0', ...options, '-f', 'concat', '-safe', '0'];
  return baseCommand('pipe:0', [...access, ...script]);
}

interface BuildableCommand extends ffmpeg.FfmpegCommand {
  /** Not part of the published types; synchronous and free of side effects. */
  _getArguments(): string[];
}

function baseCommand(address: string, options: readonly string[]): BuildableCommand {
  const common = ['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'level+info'];
  const command = ffmpeg(address) as BuildableCommand;
  // Options given as separate arguments are taken as they are; in a list they would be split at spaces.
  command.inputOptions(...common, ...options);
  return command;
}

function addOutput(command: BuildableCommand, target: string, options: readonly string[]): void {
  command.output(target);
  command.outputOptions(...options);
}

function passthrough(version: FfmpegVersion): string[] {
  return [avformatAtLeast(version, 59, 27) ? '-fps_mode' : '-vsync', 'passthrough'];
}

/** One graph for both outputs, so that the n-th picture is made from the n-th frame. */
function filterGraph(command: PlayCommand, decoderFilters: readonly string[]): string {
  const { geometry, pictureSize } = command;
  const head = [...rateFilter(command), ...decoderFilters].map((filter) => `${filter},`).join('');
  const content = { width: geometry.contentWidth, height: geometry.contentHeight };
  const model = [scaleFilter(content), MODEL_COLOURS, ...padFilter(geometry)].join(',');
  if (pictureSize === null) return `[0:v:0]${head}${model}[model]`;
  const picture = `${scaleFilter(pictureSize)},format=rgb24`;
  return `[0:v:0]${head}split=2[a][b];[a]${model}[model];[b]${picture}[picture]`;
}

function scaleFilter({ width, height }: PictureSize): string {
  return `scale=${width}:${height}:flags=bilinear`;
}

function padFilter(geometry: ModelGeometry): string[] {
  const { modelWidth, modelHeight, padLeft, padTop } = geometry;
  const fills = geometry.contentWidth === modelWidth && geometry.contentHeight === modelHeight;
  if (fills) return [];
  return [`pad=${modelWidth}:${modelHeight}:${padLeft}:${padTop}:color=${PADDING_COLOR}`];
}

/**
 * The frames that are analysed. Files get an exact rate, so that frame n is at n / fps of media time. Live
 * cameras lose and repeat timestamps and jump in them, so no frame is made up or waited for: of each period of
 * 1 / fps the first frame is taken, but not close after the last one, and a jump backwards or a missing time takes one at once. So 12 frames a
 * second asked for 5 give 5 on average, though not evenly spaced.
 */
function rateFilter({ input, fps }: PlayCommand): string[] {
  if (fps === 'all') return [];
  if (input.kind === 'file') return [`fps=${fps}`];
  const period = (time: string): string => `floor(${time}*${fps}+${EARLY_TOLERANCE})`;
  const first = 'isnan(prev_selected_t)+isnan(t)';
  const spacing = (LEAST_SPACING / fps).toFixed(6);
  const next = `gt(${period('t')},${period('prev_selected_t')})*gte(t-prev_selected_t,${spacing})`;
  return [`select='${first}+${next}+lt(t,prev_selected_t)'`];
}

interface DecoderOptions {
  input: string[];
  /** Filters directly behind the decoder, that bring its frames into main memory. */
  filters: string[];
}

interface DecoderUse {
  decoder: DecoderName;
  codec: string;
  pictureSize: PictureSize | null;
  geometry: ModelGeometry | null;
}

/**
 * Hardware decoders scale before the frame comes to main memory, to the larger of the two sizes needed.
 * Sources: github.com/blakeblackshear/frigate (presets), github.com/gjrtimmer/jetson-ffmpeg (nvmpi).
 */
function decoderOptions(use: DecoderUse): DecoderOptions {
  const size = decodedSize(use);
  switch (use.decoder) {
    case 'software':
      return { input: [], filters: [] };
    case 'nvmpi': {
      const resize = size === null ? [] : ['-resize', alignedSize(size)];
      return { input: ['-c:v', `${use.codec}_nvmpi`, ...resize], filters: [] };
    }
    case 'nvv4l2dec':
      return { input: ['-c:v', `${use.codec}_nvv4l2dec`], filters: [] };
    case 'cuda': {
      const input = ['-hwaccel', 'cuda', '-hwaccel_output_format', 'cuda'];
      const scale = size === null ? [] : [`scale_cuda=${size.width}:${size.height}`];
      return { input, filters: [...scale, 'hwdownload', 'format=nv12'] };
    }
  }
}

/** nvmpi spoils pictures of other widths and heights; the exact size is made by the filters behind it. */
function alignedSize({ width, height }: PictureSize): string {
  return `${Math.ceil(width / 64) * 64}x${Math.ceil(height / 16) * 16}`;
}

function decodedSize({ pictureSize, geometry }: DecoderUse): PictureSize | null {
  if (geometry === null) return pictureSize;
  const content = { width: geometry.contentWidth, height: geometry.contentHeight };
  if (pictureSize === null) return content;
  return pictureSize.width >= content.width ? pictureSize : content;
}
