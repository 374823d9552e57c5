import { type FrameFault, parseClientFrame, parseLegacyClientFrame } from '../../protocol/codec.ts';
import { CLIENT_TYPES, type ClientType } from '../../protocol/session.ts';
import { legacyIntroductionOf } from '../legacy/legacy-dialect.ts';
import { introductionOf } from '../session/current-dialect.ts';
import type { Introduction, RequestId } from '../session/dialect.ts';
import { faultCode } from '../session/fault-codes.ts';

export type FirstFrame =
  | { readonly kind: 'introduction'; readonly introduction: Introduction }
  /** With what the `error` frame that answers it says. */
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly requestId: RequestId;
    };

/** Reads the first frame of a connection. A `client_identify` without `protocol` is one of the original protocol. */
export function readFirstFrame(data: Buffer, isBinary: boolean): FirstFrame {
  if (isBinary) {
    const message = 'the first frame is client_identify, as text';
    return { kind: 'refused', code: 'not_identified', message, requestId: undefined };
  }
  const text = data.toString('utf8');
  const result = parseClientFrame(text);
  if (result.ok) {
    const { frame } = result;
    if (frame.type === 'client_identify')
      return { kind: 'introduction', introduction: introductionOf(frame) };
    return premature(frame.type, frame.request_id);
  }
  const legacy = parseLegacyClientFrame(text);
  if (!legacy.ok) return faulty(result);
  const { frame } = legacy;
  if (frame.type !== 'client_identify') return premature(frame.type, frame.request_id);
  const clientType = knownType(frame.data.client_type);
  if (clientType === undefined) {
    const message = `client_type: not one of ${CLIENT_TYPES.join(', ')}`;
    return faulty({ ok: false, fault: 'invalid', message, type: frame.type });
  }
  return { kind: 'introduction', introduction: legacyIntroductionOf(frame, clientType) };
}

function premature(type: string, requestId: RequestId): FirstFrame {
  const message = `${type} needs an identified client`;
  return { kind: 'refused', code: 'not_identified', message, requestId };
}

function faulty(fault: FrameFault): FirstFrame {
  const { message, requestId } = fault;
  return { kind: 'refused', code: faultCode(fault), message, requestId };
}

function knownType(name: string): ClientType | undefined {
  return CLIENT_TYPES.find((type) => type === name);
}
