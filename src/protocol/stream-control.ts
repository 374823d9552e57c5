import { z } from 'zod';
import { cameraId, frame, prose, request, word } from './frame-parts.ts';

/**
 * Requests to watch a camera, change how, or stop: from a viewer to the server, from the server to the edge that
 * has the camera, and the answer back the same way under the same `request_id`. They never enter the outbox.
 */

export const qualitySchema = z
  .union([
    z.enum(['low', 'medium', 'high', 'auto']),
    z.object({
      fps: z.number().positive().max(120).optional(),
      width: z.int().min(64).max(8192).optional(),
      height: z.int().min(64).max(8192).optional(),
    }),
  ])
  .describe('A name, or frames analysed per second and size of the analysed picture in pixels');

const start = z.object({
  camera_id: cameraId,
  rtsp_url: z
    .string()
    .max(2048)
    .optional()
    .describe('Absent for a camera that the edge has in its own configuration'),
  quality: qualitySchema.optional(),
});
const stop = z.object({ camera_id: cameraId });
const change = z.object({ camera_id: cameraId, quality: qualitySchema });

export type StreamQuality = z.infer<typeof qualitySchema>;

/** From a viewer. */
export const streamStartRequestSchema = request(
  'stream_start_request',
  'A viewer asks for a camera to be watched.',
  start.extend({
    edge_id: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe(
        '`client_id` of the edge that is to watch it, for a camera that no edge has yet; ' +
          'needless where only one edge is connected',
      ),
  }),
);
export const streamStopRequestSchema = request(
  'stream_stop_request',
  'A viewer asks for a camera not to be watched any more.',
  stop,
);
export const streamQualityChangeSchema = request(
  'stream_quality_change',
  'A viewer asks for a camera to be watched otherwise.',
  change,
);

/** To the edge. */
export const startStreamProcessingSchema = request(
  'start_stream_processing',
  'The server passes a start on to the edge that has the camera.',
  start,
);
export const stopStreamProcessingSchema = request(
  'stop_stream_processing',
  'The server passes a stop on.',
  stop,
);
export const changeStreamProcessingSchema = request(
  'change_stream_processing',
  'The server passes a change of quality on.',
  change,
);

const success = z.object({ camera_id: cameraId, quality: qualitySchema.optional() });
const failure = z.object({
  camera_id: cameraId,
  code: word.describe('One of the list of error codes, or an error code of the edge'),
  message: prose().describe('For people'),
  retryable: z
    .boolean()
    .default(false)
    .describe('The same can succeed later, asked under a new `request_id`'),
});

/** From the edge to the server, and on to the viewer that asked. */
export const streamStartSuccessSchema = frame(
  'stream_start_success',
  'The camera is being watched.',
  success,
);
export const streamStartErrorSchema = frame(
  'stream_start_error',
  'The camera could not be started.',
  failure,
);
export const streamStopSuccessSchema = frame(
  'stream_stop_success',
  'The camera is not watched any more.',
  success,
);
export const streamStopErrorSchema = frame(
  'stream_stop_error',
  'The camera could not be stopped.',
  failure,
);
export const streamQualitySuccessSchema = frame(
  'stream_quality_success',
  'The camera is watched as asked.',
  success,
);
export const streamQualityErrorSchema = frame(
  'stream_quality_error',
  'The quality could not be changed.',
  failure,
);
