import { z } from 'zod';
import { frame, request } from './frame-parts.ts';

/**
 * Requests to watch a camera, change how, or stop: from a viewer to the server, from the server to the edge that
 * has the camera, and the answer back the same way under the same `request_id`. They never enter the outbox.
 */

const cameraId = z.string().min(1).max(128);

/** A name, or what it stands for: frames analysed per second and size of the analysed picture in pixels. */
const qualitySchema = z.union([
  z.enum(['low', 'medium', 'high', 'auto']),
  z.object({
    fps: z.number().positive().max(120).optional(),
    width: z.int().min(64).max(8192).optional(),
    height: z.int().min(64).max(8192).optional(),
  }),
]);

const start = z.object({
  camera_id: cameraId,
  /** Absent for a camera that the edge has in its own configuration. */
  rtsp_url: z.string().max(2048).optional(),
  quality: qualitySchema.optional(),
});
const stop = z.object({ camera_id: cameraId });
const change = z.object({ camera_id: cameraId, quality: qualitySchema });

/** From a viewer. */
export const streamStartRequestSchema = request('stream_start_request', start);
export const streamStopRequestSchema = request('stream_stop_request', stop);
export const streamQualityChangeSchema = request('stream_quality_change', change);

/** To the edge. */
export const startStreamProcessingSchema = request('start_stream_processing', start);
export const stopStreamProcessingSchema = request('stop_stream_processing', stop);
export const changeStreamProcessingSchema = request('change_stream_processing', change);

const success = z.object({ camera_id: cameraId, quality: qualitySchema.optional() });
const failure = z.object({
  camera_id: cameraId,
  code: z.string().max(64),
  message: z.string(),
  retryable: z.boolean().default(false),
});

/** From the edge to the server, and on to the viewer that asked. */
export const streamStartSuccessSchema = frame('stream_start_success', success);
export const streamStartErrorSchema = frame('stream_start_error', failure);
export const streamStopSuccessSchema = frame('stream_stop_success', success);
export const streamStopErrorSchema = frame('stream_stop_error', failure);
export const streamQualitySuccessSchema = frame('stream_quality_success', success);
export const streamQualityErrorSchema = frame('stream_quality_error', failure);
