import { z } from 'zod';

/** Messages name the zones of an object. */
const MOST_ZONES = 64;

/** Of zones, lines and rules. */
export const ruleWord = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'a name of lower-case letters, digits, - and _, starting with a letter or digit, at most 63 long',
  );

/**
 * Places in the picture written as `x,y,x,y,...`, shares of its width and height.
 * @returns null where the text is not of that form
 */
export function parseCoordinates(text: string): { x: number; y: number }[] | null {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (numbers.length % 2 !== 0 || !numbers.every((number) => number >= 0 && number <= 1))
    return null;
  return numbers.flatMap((x, index) =>
    index % 2 === 0 ? [{ x, y: numbers[index + 1] ?? 0 }] : [],
  );
}

/** Width and depth in metres, written as `width,depth`; null where the text is not of that form. */
export function parseSize(text: string): [number, number] | null {
  const [width = 0, depth = 0, ...more] = text.split(',').map(Number);
  const isFine = (size: number): boolean => size > 0 && size <= 1000;
  return isFine(width) && isFine(depth) && more.length === 0 ? [width, depth] : null;
}

function isPolygon(text: string): boolean {
  const points = parseCoordinates(text);
  return points !== null && points.length >= 3 && points.length <= 64;
}

function isLine(text: string): boolean {
  const [from, to, ...more] = parseCoordinates(text) ?? [];
  if (from === undefined || to === undefined || more.length > 0) return false;
  return Math.hypot(to.x - from.x, to.y - from.y) > 0.01;
}

const corners = z
  .string()
  .refine(isPolygon, { error: 'three to 64 corners as x,y,x,y,… with numbers from 0 to 1' })
  .meta({
    title: 'Corners',
    description:
      'Corners as `x,y,x,y,…`, shares of the width and height of the picture from its upper left corner.',
  });

const zoneFields = z.strictObject({
  coordinates: corners,
  inertia_s: z.number().min(0).max(60).default(0.5).meta({
    title: 'Inertia, seconds',
    description: 'An object counts as in or out only after it has been so for this long.',
  }),
  size_m: z
    .string()
    .refine((text) => parseSize(text) !== null, {
      error: 'width,depth in metres, each above 0 and at most 1000',
    })
    .optional()
    .meta({
      title: 'Size on the ground, metres',
      description:
        'Of a zone with four corners that is a rectangle on the ground: from the first corner to the second, and from ' +
        'the second to the third, as `width,depth`. Then speeds are measured in it.',
    }),
});

type ZoneFields = Partial<z.infer<typeof zoneFields>>;

const zoneSchema = zoneFields.superRefine(
  (zone, context) => {
    if (typeof zone !== 'object' || zone === null) return;
    const { coordinates, size_m }: ZoneFields = zone;
    if (typeof coordinates !== 'string' || typeof size_m !== 'string') return;
    const message = 'four corners beside it, which are those of a rectangle on the ground';
    if (parseCoordinates(coordinates)?.length !== 4)
      context.addIssue({ code: 'custom', path: ['size_m'], message });
  },
  { when: () => true },
);

const lineSchema = z.strictObject({
  coordinates: z
    .string()
    .refine(isLine, { error: 'two places as x,y,x,y with numbers from 0 to 1' })
    .meta({
      title: 'Ends',
      description:
        'Both ends as `x,y,x,y`. Who looks from the first to the second has its left and its right side.',
    }),
});

const maskSchema = z.strictObject({
  coordinates: corners,
  labels: z.array(z.string().min(1)).min(1).nullable().default(null).meta({
    title: 'Labels',
    description: 'Only objects of these labels; all when left out.',
  }),
});

const privacyMaskSchema = z.strictObject({ coordinates: corners });

/** Keys of a camera. */
export const zonesOfCamera = {
  zones: z
    .record(ruleWord, zoneSchema)
    .refine((zones) => Object.keys(zones).length <= MOST_ZONES, {
      error: `at most ${MOST_ZONES} zones on a camera`,
    })
    .default({})
    .meta({
      title: 'Zones',
      description:
        'Parts of the picture that rules can name, at most 64. An object is where its foot is.',
    }),
  lines: z.record(ruleWord, lineSchema).default({}).meta({
    title: 'Lines',
    description: 'Lines across the picture whose crossing rules can ask for.',
  }),
  masks: z.record(ruleWord, maskSchema).default({}).meta({
    title: 'Object masks',
    description:
      'Parts of the picture in which nothing is an object: what has its foot there is left out.',
  }),
  privacy_masks: z.record(ruleWord, privacyMaskSchema).default({}).meta({
    title: 'Privacy masks',
    description: 'Parts of the picture that are black in every image that is kept or sent.',
  }),
};
