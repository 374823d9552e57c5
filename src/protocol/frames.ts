import type { z } from 'zod';
import {
  batchAckSchema,
  flowUpdateSchema,
  messageBatchSchema,
  resyncRequiredSchema,
} from './batch.ts';
import { sendEvidenceErrorSchema, sendEvidenceSchema } from './evidence-request.ts';
import {
  camerasChangedSchema,
  clientGoodbyeSchema,
  clientIdentifySchema,
  connectionEstablishedSchema,
  errorSchema,
  heartbeatAckSchema,
  heartbeatSchema,
  identificationSuccessSchema,
  serverDrainingSchema,
} from './session.ts';
import {
  changeStreamProcessingSchema,
  startStreamProcessingSchema,
  stopStreamProcessingSchema,
  streamQualityChangeSchema,
  streamQualityErrorSchema,
  streamQualitySuccessSchema,
  streamStartErrorSchema,
  streamStartRequestSchema,
  streamStartSuccessSchema,
  streamStopErrorSchema,
  streamStopRequestSchema,
  streamStopSuccessSchema,
} from './stream-control.ts';
import { subscribeSchema, subscriptionSuccessSchema, unsubscribeSchema } from './subscription.ts';

/** Answers to stream requests: the edge sends them, and the server passes them on. */
const STREAM_ANSWERS = {
  stream_start_success: streamStartSuccessSchema,
  stream_start_error: streamStartErrorSchema,
  stream_stop_success: streamStopSuccessSchema,
  stream_stop_error: streamStopErrorSchema,
  stream_quality_success: streamQualitySuccessSchema,
  stream_quality_error: streamQualityErrorSchema,
} as const;

/** Frames that a client sends, by type. */
export const CLIENT_FRAMES = {
  client_identify: clientIdentifySchema,
  heartbeat: heartbeatSchema,
  message_batch: messageBatchSchema,
  subscribe: subscribeSchema,
  unsubscribe: unsubscribeSchema,
  stream_start_request: streamStartRequestSchema,
  stream_stop_request: streamStopRequestSchema,
  stream_quality_change: streamQualityChangeSchema,
  ...STREAM_ANSWERS,
  send_evidence_error: sendEvidenceErrorSchema,
  cameras_changed: camerasChangedSchema,
  client_goodbye: clientGoodbyeSchema,
  error: errorSchema,
} as const;
export type ClientFrame = z.infer<(typeof CLIENT_FRAMES)[keyof typeof CLIENT_FRAMES]>;

/** Frames that a server sends, by type; broadcast events come beside them. */
export const SERVER_FRAMES = {
  connection_established: connectionEstablishedSchema,
  identification_success: identificationSuccessSchema,
  heartbeat_ack: heartbeatAckSchema,
  batch_ack: batchAckSchema,
  flow_update: flowUpdateSchema,
  resync_required: resyncRequiredSchema,
  subscription_success: subscriptionSuccessSchema,
  start_stream_processing: startStreamProcessingSchema,
  stop_stream_processing: stopStreamProcessingSchema,
  change_stream_processing: changeStreamProcessingSchema,
  ...STREAM_ANSWERS,
  send_evidence: sendEvidenceSchema,
  server_draining: serverDrainingSchema,
  error: errorSchema,
} as const;
export type ServerFrame = z.infer<(typeof SERVER_FRAMES)[keyof typeof SERVER_FRAMES]>;
