import type { FrameFault } from '../../protocol/codec.ts';

const CODES: Record<FrameFault['fault'], string> = {
  too_large: 'frame_too_large',
  not_json: 'not_json',
  invalid: 'invalid_frame',
  unknown_type: 'unknown_type',
};

/** Code of the `error` frame that answers a text which is no frame. */
export function faultCode({ fault }: FrameFault): string {
  return CODES[fault];
}
