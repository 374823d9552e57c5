import { z } from 'zod';

export const boundingBoxSchema = z
  .object({
    x: z.number().describe('Left edge, as a share of the picture’s width'),
    y: z.number().describe('Upper edge, as a share of its height'),
    width: z.number(),
    height: z.number(),
  })
  .describe('Relative to the picture: 0..1, origin top left');
export type BoundingBox = z.infer<typeof boundingBoxSchema>;

/** One object found in one frame, as the wire carries it. */
export const wireDetectionSchema = z.object({
  type: z.string().max(256).describe('`person`, `vehicle`, `package`, `animal` or the label'),
  label: z.string().max(256).describe('The model’s own word'),
  confidence: z.number().min(0).max(1),
  bounding_box: boundingBoxSchema,
  track_id: z.number().int().optional().describe('The same for the same object, within its camera'),
  event_id: z.string().max(256).optional().describe('Its `object_event`'),
});

const TYPE_OF_LABEL: Readonly<Record<string, string>> = {
  person: 'person',
  ...Object.fromEntries(
    ['bicycle', 'car', 'motorcycle', 'bus', 'truck'].map((label) => [label, 'vehicle']),
  ),
  ...Object.fromEntries(['backpack', 'handbag', 'suitcase'].map((label) => [label, 'package'])),
  ...Object.fromEntries(
    ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'bear'].map((label) => [label, 'animal']),
  ),
};

/** The protocol's detection type of a model label; a label outside the map is its own type. */
export function detectionType(label: string): string {
  return TYPE_OF_LABEL[label] ?? label;
}
