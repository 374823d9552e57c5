import { z } from 'zod';

/** A box relative to the picture: 0..1, origin top left. */
export const boundingBoxSchema = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
});
export type BoundingBox = z.infer<typeof boundingBoxSchema>;

/** One object found in one frame, as the wire carries it. `type` is the protocol's class, `label` the model's. */
export const wireDetectionSchema = z.object({
  type: z.string(),
  label: z.string(),
  confidence: z.number().min(0).max(1),
  bounding_box: boundingBoxSchema,
  track_id: z.number().int().optional(),
  event_id: z.string().optional(),
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
