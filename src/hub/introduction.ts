import { type FrameFault, parseClientFrame, parseLegacyClientFrame } from '../protocol/codec.ts';
import { CLIENT_TYPES, type ClientType } from '../protocol/session.ts';
import { introductionOf } from './current-dialect.ts';
import type { Introduction, RequestId } from './dialect.ts';
import { legacyIntroductionOf } from './legacy-dialect.ts';

export type FirstFrame =
  | { readonly kind: 'introduction'; readonly introduction: Introduction }
  /** A frame of something else. */
  | { readonly kind: 'premature'; readonly type: string; readonly requestId: RequestId }
  | { readonly kind: 'fault'; readonly fault: FrameFault };

/**
 * Reads the first text of a connection. A `client_identify` without `protocol` is one of the original protocol.
 */
export function readFirstFrame(text: string): FirstFrame {
  const result = parseClientFrame(text);
  if (result.ok) {
    const { frame } = result;
    if (frame.type === 'client_identify')
      return { kind: 'introduction', introduction: introductionOf(frame) };
    return { kind: 'premature', type: frame.type, requestId: frame.request_id };
  }
  const legacy = parseLegacyClientFrame(text);
  if (!legacy.ok) return { kind: 'fault', fault: result };
  const { frame } = legacy;
  if (frame.type !== 'client_identify')
    return { kind: 'premature', type: frame.type, requestId: frame.request_id };
  const clientType = knownType(frame.data.client_type);
  if (clientType === undefined) {
    const message = `client_type: not one of ${CLIENT_TYPES.join(', ')}`;
    return { kind: 'fault', fault: { ok: false, fault: 'invalid', message, type: frame.type } };
  }
  return { kind: 'introduction', introduction: legacyIntroductionOf(frame, clientType) };
}

function knownType(name: string): ClientType | undefined {
  return CLIENT_TYPES.find((type) => type === name);
}
