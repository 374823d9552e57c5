import { spawn } from 'node:child_process';

/**
 * @typedef {object} AccessUnit One coded picture.
 * @property {number} dtsMs Decoding time.
 * @property {number} ptsMs Presentation time; differs from `dtsMs` where the clip has B-frames.
 * @property {boolean} key
 * @property {Buffer[]} nalUnits Without start codes or lengths.
 *
 * @typedef {object} Clip H.264 video in memory, in decoding order.
 * @property {Buffer} sps
 * @property {Buffer} pps
 * @property {AccessUnit[]} units
 * @property {number} durationMs Until the last unit's own end.
 */

const FLV_HEADER_BYTES = 9 + 4;
const FLV_TAG_HEADER_BYTES = 11;
const FLV_TRAILER_BYTES = 4;
const VIDEO_TAG = 9;
const CODEC_AVC = 7;

/**
 * Reads the H.264 video of any file that ffmpeg can open.
 *
 * ffmpeg copies it to FLV, which is the simplest container that keeps both times of every access unit.
 * @param {string} file
 * @returns {Promise<Clip>}
 */
export async function loadClip(file) {
  const flv = await copyToFlv(file);
  const units = [];
  let parameterSets = null;
  for (const tag of videoTags(flv)) {
    const packetType = tag.data[1];
    if (packetType === 0) parameterSets = parseAvcConfiguration(tag.data.subarray(5));
    if (packetType === 1) units.push(parseAccessUnit(tag.data, tag.dtsMs));
  }
  const first = units[0];
  const last = units.at(-1);
  if (!parameterSets || !first || !last) throw new Error(`${file} has no H.264 video`);
  const meanStepMs = units.length > 1 ? (last.dtsMs - first.dtsMs) / (units.length - 1) : 40;
  return { ...parameterSets, units, durationMs: last.dtsMs - first.dtsMs + meanStepMs };
}

/** @param {string} file */
async function copyToFlv(file) {
  const args = ['-v', 'error', '-i', file, '-an', '-c', 'copy', '-f', 'flv', 'pipe:1'];
  const ffmpeg = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((resolve, reject) => {
    ffmpeg.on('error', reject);
    ffmpeg.on('close', resolve);
  });
  const chunks = [];
  for await (const chunk of ffmpeg.stdout) chunks.push(chunk);
  const code = await exit;
  if (code !== 0) throw new Error(`ffmpeg could not read ${file} (exit code ${code})`);
  return Buffer.concat(chunks);
}

/** @param {Buffer} flv */
function* videoTags(flv) {
  let offset = FLV_HEADER_BYTES;
  while (offset + FLV_TAG_HEADER_BYTES <= flv.length) {
    const size = flv.readUIntBE(offset + 1, 3);
    // The upper byte of the time stands behind the lower three.
    const dtsMs = flv.readUIntBE(offset + 4, 3) | (flv.readUInt8(offset + 7) << 24);
    const start = offset + FLV_TAG_HEADER_BYTES;
    const data = flv.subarray(start, start + size);
    if (flv[offset] === VIDEO_TAG && (data.readUInt8(0) & 0x0f) === CODEC_AVC)
      yield { dtsMs, data };
    offset = start + size + FLV_TRAILER_BYTES;
  }
}

/**
 * AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.2.4.1): takes its first SPS and first PPS.
 * @param {Buffer} record
 */
function parseAvcConfiguration(record) {
  const spsLength = record.readUInt16BE(6);
  const ppsLength = record.readUInt16BE(9 + spsLength);
  return {
    sps: record.subarray(8, 8 + spsLength),
    pps: record.subarray(11 + spsLength, 11 + spsLength + ppsLength),
  };
}

/**
 * @param {Buffer} data Body of an FLV video tag.
 * @param {number} dtsMs
 * @returns {AccessUnit}
 */
function parseAccessUnit(data, dtsMs) {
  const nalUnits = [];
  let offset = 5;
  while (offset + 4 <= data.length) {
    const length = data.readUInt32BE(offset);
    nalUnits.push(data.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  const compositionOffset = data.readIntBE(2, 3);
  const key = data.readUInt8(0) >> 4 === 1;
  return { dtsMs, ptsMs: dtsMs + compositionOffset, key, nalUnits };
}
