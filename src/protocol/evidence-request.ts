import { z } from 'zod';
import { cameraId, count, frame, prose, request, word } from './frame-parts.ts';

/**
 * Evidence that a viewer asks the server for: the server orders it of the edge that has the camera, and the edge uploads
 * it over HTTP (`PUT /api/v1/evidence/<request_id>`) with the token of its connection, or says why not.
 */

/** Kinds of evidence, and what their files are. */
export const EVIDENCE_TYPES = {
  snapshot: 'image/jpeg',
  face: 'image/jpeg',
  thumbnail: 'image/jpeg',
  clip: 'video/mp4',
} as const;
export type EvidenceKind = keyof typeof EVIDENCE_TYPES;
export const EVIDENCE_KINDS = Object.keys(EVIDENCE_TYPES) as [EvidenceKind, ...EvidenceKind[]];

/** Capability of an edge that can be ordered to send evidence. */
export const EVIDENCE_CAPABILITY = 'evidence';
/** The largest file that is uploaded, bytes. */
export const MAX_EVIDENCE_BYTES = 256 * 1024 * 1024;
/** Where it is uploaded, below the server's address; the `request_id` follows. */
export const EVIDENCE_UPLOAD_PATH = 'api/v1/evidence/';

/** Id of an event or alert. */
export const evidenceId = z.string().min(1).max(128);

export const sendEvidenceSchema = request(
  'send_evidence',
  'The server asks an edge that said it is capable of `evidence` for a file.',
  z.object({
    camera_id: cameraId,
    kind: z.enum(EVIDENCE_KINDS),
    id: evidenceId.describe('Of the event, for `snapshot` and `face`; of the alert otherwise'),
  }),
);
export type SendEvidence = z.infer<typeof sendEvidenceSchema>;

export const sendEvidenceErrorSchema = frame(
  'send_evidence_error',
  'The edge does not upload what it was asked for.',
  z.object({
    code: word.describe('An error code of the edge'),
    message: prose().describe('For people'),
    retryable: z.boolean().default(false).describe('The same can succeed later'),
    retry_after_ms: count.optional().describe('How much later'),
  }),
);
export type SendEvidenceError = z.infer<typeof sendEvidenceErrorSchema>;
