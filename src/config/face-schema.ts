import { z } from 'zod';

/** Section `faces`. */
export const facesSchema = z.strictObject({
  detector: z.string().min(1).default('yunet').meta({
    title: 'Face detector',
    description: 'Name of an installed model: `yunet`, or `ultra-light-face` with `landmarks`.',
  }),
  embedding: z.string().min(1).default('face-embedding').meta({
    title: 'Face embedding',
    description: 'Name of the installed model that describes an aligned face by numbers.',
  }),
  landmarks: z.string().min(1).nullable().default(null).meta({
    title: 'Face landmarks',
    description: 'Name of an installed model, for a face detector that finds no landmarks itself.',
  }),
  min_width_px: z.number().int().min(20).max(400).default(36).meta({
    title: 'Least width of a face, pixels',
    description: 'Smaller faces are not compared with anybody. Pixels of the snapshot picture.',
  }),
  min_similarity: z.number().min(0.2).max(0.95).default(0.4).meta({
    title: 'Least similarity',
    description: 'Cosine from which a face is somebody’s, as a mean over the looks at a person.',
  }),
  min_margin: z.number().min(0).max(0.5).default(0.08).meta({
    title: 'Least margin',
    description: 'So much more alike than the person who is next.',
  }),
});

/** Key `faces` of a camera. */
export const cameraFacesSchema = z.strictObject({
  enabled: z.boolean().default(false).meta({
    title: 'Face recognition',
    description: 'Whether the faces of people on this camera are compared with those enrolled.',
  }),
});
