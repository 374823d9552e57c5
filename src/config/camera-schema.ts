import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { cameraFacesSchema } from './face-schema.ts';
import { absolutePath, fileOfSecret, oneSecretOnly } from './schema-parts.ts';
import { zonesOfCamera } from './zone-schema.ts';

export const cameraId = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]|_(?!_)){0,62}$/,
    'a camera name of lower-case letters, digits, - and single _, starting with a letter or digit, at most 63 long',
  );

const fps = z.union([z.number().positive().max(60), z.literal('all')]);
const score = z.number().min(0).max(1);

const detectSchema = z.strictObject({
  fps: fps.default(5).meta({
    title: 'Frames analysed each second',
    description:
      'How many frames of this camera are analysed each second, or `all` of them. More frames cost more ' +
      'inference and follow fast objects better.',
  }),
  labels: z
    .array(z.string().min(1))
    .min(1)
    .nullable()
    .default(['person', 'bicycle', 'car', 'motorcycle', 'bus', 'truck'])
    .meta({
      title: 'Labels to look for',
      description: 'Labels of the model that count on this camera; `null` for all that it knows.',
    }),
  min_score: score.default(0.4).meta({
    title: 'Lowest score',
    description:
      'Score, 0 to 1, from which a detection may start an event; weaker ones only continue one.',
  }),
});

const cameraFields = z.strictObject({
  enabled: z.boolean().default(true).meta({
    title: 'Enabled',
    description: 'Set to `false` to keep the camera in the file but not to connect to it.',
  }),
  url: z
    .string()
    .optional()
    .meta({
      title: 'RTSP address',
      description:
        'Address of the stream, rtsp:// or rtsps://. Better without user name and password, which have keys ' +
        'of their own. A camera has either `url` or `path`.',
    }),
  username: z.string().min(1).optional().meta({
    title: 'User name',
    description: 'User name at the camera, exactly as it was typed there.',
  }),
  password: z.string().min(1).optional().meta({
    title: 'Password',
    description: 'Password at the camera, exactly as it was typed there. `password_file` is safer.',
  }),
  password_file: fileOfSecret.optional().meta({
    title: 'File of the password',
    description:
      'File with the password: an absolute path, or the name of a systemd credential of the unit.',
  }),
  transport: z.enum(['tcp', 'udp']).default('tcp').meta({
    title: 'RTSP transport',
    description:
      '`tcp` loses nothing and passes firewalls; `udp` for cameras that offer nothing else.',
  }),
  path: absolutePath.optional().meta({
    title: 'File or folder of clips',
    description: 'A clip, or a folder of clips, to play instead of a stream. Absolute.',
  }),
  pace: z.enum(['realtime', 'max']).default('realtime').meta({
    title: 'Pace of a file',
    description: 'Only with `path`: as fast as it was filmed, or as fast as the machine can.',
  }),
  loop: z.boolean().default(false).meta({
    title: 'Start again at the end',
    description: 'Only with `path`: play the clips again when the last has ended.',
  }),
  decoder: z.enum(['auto', 'nvmpi', 'nvv4l2dec', 'cuda', 'software']).default('auto').meta({
    title: 'Video decoder',
    description:
      '`auto` takes the fastest that decodes a probe correctly; a name tries only that one.',
  }),
  stall_timeout_s: z.number().min(1).max(600).default(10).meta({
    title: 'Stall timeout, seconds',
    description: 'Without a frame for this long the stream has stalled and is opened again.',
  }),
  frozen_timeout_s: z.number().min(0).max(86400).default(60).meta({
    title: 'Frozen picture timeout, seconds',
    description:
      'The very same picture for this long means a frozen camera; 0 turns the check off.',
  }),
  detect: detectSchema.prefault({}).meta({
    title: 'Detection',
    description: 'What is looked for on this camera, and how often.',
  }),
  clips: z.boolean().default(true).meta({
    title: 'Clips',
    description:
      'Whether alerts of this camera have clips. Never with `privacy_masks`: video as the camera sent it has no masks.',
  }),
  faces: cameraFacesSchema.prefault({}).meta({
    title: 'Faces',
    description: 'Off unless it is switched on here: faces are biometric data.',
  }),
  ...zonesOfCamera,
});

type CameraFields = Partial<z.infer<typeof cameraFields>>;
type Report = (key: keyof CameraFields, allowed: string) => void;

/** Runs beside the checks of the single keys, so that one reading of the file finds every mistake. */
export const cameraSchema = cameraFields.superRefine(
  (camera, context) => {
    if (typeof camera !== 'object' || camera === null) return;
    const report: Report = (key, allowed) =>
      context.addIssue({ code: 'custom', path: [key], message: allowed });
    checkSource(camera, report);
    if (typeof camera.url === 'string') checkUrl(camera.url, camera, report);
    checkCredentials(camera, report);
  },
  { when: () => true },
);

function checkSource(camera: CameraFields, report: Report): void {
  if (camera.url === undefined && camera.path === undefined)
    report('url', '`url` with an rtsp:// address, or `path` with a file or folder of clips');
  if (camera.url !== undefined && camera.path !== undefined)
    report('path', 'either `url` or `path`, not both');
}

function checkUrl(text: string, camera: CameraFields, report: Report): void {
  if (!/^rtsps?:\/\//i.test(text)) {
    const isFile = isAbsolute(text) || text.startsWith('file:');
    report('url', `an rtsp:// or rtsps:// address${isFile ? '; clips are given with `path`' : ''}`);
    return;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '' || hasStrayUserInfo(text, url) || hasControl(text)) {
    report(
      'url',
      'an address like rtsp://host:554/path; user name and password with characters such as / ? # belong ' +
        'in `username` and `password`',
    );
    return;
  }
  if (url.username !== '' && camera.username !== undefined)
    report('username', 'the user name either in `url` or in `username`, not in both');
  if (url.password !== '' && (camera.password ?? camera.password_file) !== undefined)
    report('password', 'the password either in `url` or in its own key, not in both');
  if (url.protocol === 'rtsps:' && camera.transport === 'udp')
    report('transport', '`tcp`: rtsps:// streams are never sent over udp');
}

/**
 * `rtsp://name:12/3@host` parses as host `name` and port 12: the password holds a `/`, `?` or `#` as it is.
 * After an IP address an `@` is the camera's own path.
 */
function hasStrayUserInfo(text: string, url: URL): boolean {
  const isAddress = isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0;
  return !isAddress && url.username === '' && /^rtsps?:\/\/[^/?#@]*:\d*[/?#].*@/i.test(text);
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function checkCredentials(camera: CameraFields, report: Report): void {
  const { username, password, password_file: file } = camera;
  oneSecretOnly({ password, password_file: file }, (key, allowed) =>
    report(key as keyof CameraFields, allowed),
  );
  const given = file === undefined ? 'password' : 'password_file';
  if (camera.path !== undefined && (username ?? password ?? file) !== undefined)
    report(username === undefined ? given : 'username', 'user name and password only with `url`');
  else if ((password ?? file) !== undefined && username === undefined && !hasUserInUrl(camera))
    report(given, '`username` beside the password');
}

function hasUserInUrl({ url }: CameraFields): boolean {
  return typeof url === 'string' && /^[a-z]+:\/\/[^/?#@]+@/i.test(url);
}
