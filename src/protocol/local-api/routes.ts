import { z } from 'zod';
import {
  accessToken,
  auditEntry,
  issuedToken,
  liveTicket,
  login,
  newToken,
  profile,
} from './access.ts';
import {
  configAnswer,
  configChanged,
  configVersion,
  rulesAnswer,
  rulesChange,
  zonesAnswer,
  zonesChange,
} from './configuration.ts';
import {
  alert,
  alertFilter,
  alertPage,
  event,
  eventFilter,
  eventPage,
  summary,
  summaryFilter,
} from './history.ts';
import { alertId, cameraId, eventId, ids, listed, personId } from './parts.ts';
import {
  enrolled,
  enrolOptions,
  faceOfEvent,
  forgetReport,
  newPerson,
  person,
  personChange,
  personDetail,
} from './people.ts';
import type { RouteSpec } from './route.ts';
import { camera, deadLetter, queue, status } from './status.ts';

const ofCamera = z.strictObject({ camera_id: cameraId });
const ofEvent = z.strictObject({ event_id: eventId });
const ofAlert = z.strictObject({ alert_id: alertId });
const ofPerson = z.strictObject({ person_id: personId });
const events = z.object({ events: z.array(event).readonly().describe('Those that changed') });
const alerts = z.object({ alerts: z.array(alert).readonly().describe('Those that changed') });

const picture = z.strictObject({
  max_width: z.coerce.number().int().min(64).max(1920).default(1280).describe('Pixels'),
});
const live = z.strictObject({
  max_width: z.coerce.number().int().min(64).max(1280).default(640).describe('Pixels'),
});

const ACCESS = {
  'POST /api/login': {
    role: 'open',
    summary: 'Begins a session: the answer sets its cookie.',
    body: login,
    answer: profile,
  },
  'POST /api/logout': { role: 'viewer', summary: 'Ends the session and its live connections.' },
  'GET /api/profile': { role: 'viewer', summary: 'Who asks, and what they may.', answer: profile },
  'POST /api/live_ticket': {
    role: 'viewer',
    summary: 'A ticket for one connection to `/ws`, soon and once.',
    answer: liveTicket,
  },
  'GET /api/access': {
    role: 'admin',
    summary: 'Tokens, without their secrets.',
    answer: z.object({ tokens: z.array(accessToken) }),
  },
  'POST /api/access': {
    role: 'admin',
    summary: 'Makes a token; it is shown this once.',
    body: newToken,
    answer: issuedToken,
    isChange: true,
  },
  'DELETE /api/access/:name': {
    role: 'admin',
    summary: 'Ends a token, its sessions and live connections.',
    path: z.strictObject({ name: z.string().min(1).max(63) }),
    isChange: true,
  },
  'GET /api/audit': {
    role: 'admin',
    summary: 'Who changed what, newest first.',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    answer: z.object({ entries: z.array(auditEntry) }),
  },
} as const satisfies Record<string, RouteSpec>;

const STATE = {
  'GET /api/health': {
    role: 'open',
    summary: 'Whether the daemon answers. Nothing else is told without a token.',
    answer: z.object({ status: z.literal('ok') }),
  },
  'GET /api/openapi.json': {
    role: 'open',
    summary: 'This description.',
    answer: z.looseObject({}),
  },
  'GET /api/status': {
    role: 'viewer',
    summary: 'The daemon and all its parts, as far as the token may see them.',
    answer: status,
  },
  'GET /api/metrics': {
    role: 'viewer',
    summary: 'Numbers for Prometheus; of tokens that are not limited to cameras.',
    answer: 'text/plain',
  },
  'GET /api/queue': {
    role: 'viewer',
    summary: 'What waits for the hub.',
    answer: queue,
  },
  'GET /api/queue/dead_letters': {
    role: 'admin',
    summary: 'Messages that are not sent again, newest first.',
    answer: z.object({ dead_letters: z.array(deadLetter) }),
  },
  'GET /api/models': {
    role: 'operator',
    summary: 'Models: which are installed, which are in use.',
    answer: z.object({
      models: z.array(
        z.object({
          name: z.string(),
          purpose: z.string(),
          licence: z.string(),
          is_installed: z.boolean(),
          is_in_use: z.boolean(),
        }),
      ),
    }),
  },
  'GET /api/logs': {
    role: 'admin',
    summary: 'The last lines of the daemon’s log, oldest first, without secrets.',
    query: z.strictObject({
      lines: z.coerce.number().int().min(1).max(2000).default(200),
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    }),
    answer: z.object({ lines: z.array(z.looseObject({})) }),
  },
  'GET /api/support_bundle': {
    role: 'admin',
    summary: 'What support needs, without secrets: a gzipped tar archive.',
    answer: 'application/gzip',
  },
} as const satisfies Record<string, RouteSpec>;

const CAMERAS = {
  'GET /api/cameras': {
    role: 'viewer',
    summary: 'Cameras and how they do.',
    answer: z.object({ cameras: z.array(camera) }),
  },
  'GET /api/cameras/:camera_id': {
    role: 'viewer',
    summary: 'One camera: state, decoder, provider, and what is wrong with it.',
    path: ofCamera,
    answer: camera,
  },
  'POST /api/cameras/:camera_id/start': {
    role: 'operator',
    summary: 'Has a camera watched that was stopped.',
    path: ofCamera,
    answer: camera,
    isChange: true,
  },
  'POST /api/cameras/:camera_id/stop': {
    role: 'operator',
    summary: 'Has a camera no longer watched, also after a restart, until it is started.',
    path: ofCamera,
    answer: camera,
    isChange: true,
  },
  'GET /api/cameras/:camera_id/latest.jpg': {
    role: 'viewer',
    summary: 'The newest picture that was analysed.',
    path: ofCamera,
    query: picture,
    answer: 'image/jpeg',
  },
  'GET /api/cameras/:camera_id/live.mjpeg': {
    role: 'viewer',
    summary:
      'Pictures as they are analysed. Each part says which: `X-Apex-Frame-Id` as in the `frame_id` of ' +
      '`ai_detection_result`, `X-Apex-Timestamp`, and with `X-Apex-Objects` what is in view, as JSON: a list of ' +
      '`track_id`, `event_id`, `label`, `score`, `box` and, of somebody who is known, `name` and `threat_level`.',
    path: ofCamera,
    query: live,
    answer: 'multipart/x-mixed-replace',
  },
  'GET /api/live.mjpeg': {
    role: 'viewer',
    summary:
      'Pictures of several cameras on one connection, of which a browser has few: as `live.mjpeg` of each, with ' +
      '`X-Apex-Camera-Id`.',
    query: live.extend({ cameras: listed('Of these cameras').optional() }),
    answer: 'multipart/x-mixed-replace',
  },
  'GET /api/cameras/:camera_id/zones': {
    role: 'viewer',
    summary: 'Zones, lines and masks.',
    path: ofCamera,
    answer: zonesAnswer,
  },
  'PUT /api/cameras/:camera_id/zones': {
    role: 'admin',
    summary:
      'Puts these zones, lines and masks in the place of the former; other cameras see nothing of it.',
    path: ofCamera,
    body: zonesChange,
    answer: configChanged,
    isChange: true,
  },
} as const satisfies Record<string, RouteSpec>;

const HISTORY = {
  'GET /api/events': {
    role: 'viewer',
    summary: 'Events by when they began.',
    query: eventFilter,
    answer: eventPage,
  },
  'GET /api/events/summary': {
    role: 'viewer',
    summary: 'How many events and alerts each camera had, by hour or day.',
    query: summaryFilter,
    answer: summary,
  },
  'POST /api/events/reviewed': {
    role: 'operator',
    summary: 'Somebody has looked at these; who was first stands.',
    body: z.strictObject({ ids }),
    answer: events,
    isChange: true,
  },
  'GET /api/events/:event_id': {
    role: 'viewer',
    summary: 'One event.',
    path: ofEvent,
    answer: event,
  },
  'PUT /api/events/:event_id/false_positive': {
    role: 'operator',
    summary: 'It shows nothing of what it says; or it does after all.',
    path: ofEvent,
    body: z.strictObject({ false_positive: z.boolean() }),
    answer: events,
    isChange: true,
  },
  'GET /api/events/:event_id/snapshot.jpg': {
    role: 'viewer',
    summary: 'The best picture of an event.',
    path: ofEvent,
    answer: 'image/jpeg',
  },
  'GET /api/events/:event_id/thumbnail.jpg': {
    role: 'viewer',
    summary: 'A small picture of it.',
    path: ofEvent,
    answer: 'image/jpeg',
  },
  'GET /api/events/:event_id/face.jpg': {
    role: 'viewer',
    summary: 'The best face of it.',
    path: ofEvent,
    answer: 'image/jpeg',
  },
  'GET /api/alerts': {
    role: 'viewer',
    summary: 'Alerts by when they were raised.',
    query: alertFilter,
    answer: alertPage,
  },
  'POST /api/alerts/acknowledge': {
    role: 'operator',
    summary: 'Somebody takes care of these; who was first stands.',
    body: z.strictObject({ ids }),
    answer: alerts,
    isChange: true,
  },
  'GET /api/alerts/:alert_id': {
    role: 'viewer',
    summary: 'One alert.',
    path: ofAlert,
    answer: alert,
  },
  'POST /api/alerts/:alert_id/notes': {
    role: 'operator',
    summary: 'Adds a note.',
    path: ofAlert,
    body: z.strictObject({ text: z.string().min(1).max(2000) }),
    answer: alerts,
    isChange: true,
  },
  'GET /api/alerts/:alert_id/thumbnail.jpg': {
    role: 'viewer',
    summary: 'What raised it.',
    path: ofAlert,
    answer: 'image/jpeg',
  },
  'GET /api/alerts/:alert_id/clip.mp4': {
    role: 'viewer',
    summary: 'What happened around it; ranges of bytes may be asked for.',
    path: ofAlert,
    answer: 'video/mp4',
  },
} as const satisfies Record<string, RouteSpec>;

const PEOPLE = {
  'GET /api/people': {
    role: 'operator',
    summary: 'Everybody whom the box may recognise.',
    answer: z.object({ people: z.array(person) }),
  },
  'POST /api/people': {
    role: 'operator',
    summary: 'Adds somebody, without a face yet.',
    body: newPerson,
    answer: personDetail,
    isChange: true,
  },
  'GET /api/people/:person_id': {
    role: 'operator',
    summary: 'One person, with their faces.',
    path: ofPerson,
    answer: personDetail,
  },
  'PATCH /api/people/:person_id': {
    role: 'operator',
    summary: 'Changes what is known of somebody.',
    path: ofPerson,
    body: personChange,
    answer: personDetail,
    isChange: true,
  },
  'DELETE /api/people/:person_id': {
    role: 'admin',
    summary: 'Forgets somebody: faces, photos, and id and name in every stored event.',
    path: ofPerson,
    answer: forgetReport,
    isChange: true,
  },
  'POST /api/people/:person_id/faces': {
    role: 'operator',
    summary: 'Adds the face of a picture.',
    path: ofPerson,
    query: enrolOptions,
    body: 'image/jpeg',
    answer: enrolled,
    isChange: true,
  },
  'POST /api/people/:person_id/faces/from_event': {
    role: 'operator',
    summary: 'Adds the face of an event; `negative` where it is not theirs.',
    path: ofPerson,
    body: faceOfEvent,
    answer: enrolled,
    isChange: true,
  },
  'DELETE /api/people/:person_id/faces/:sample_id': {
    role: 'operator',
    summary: 'Removes a face of somebody.',
    path: ofPerson.extend({ sample_id: z.uuid() }),
    isChange: true,
  },
  'GET /api/people/:person_id/faces/:sample_id/photo.jpg': {
    role: 'operator',
    summary: 'The photo of a face, where one is kept.',
    path: ofPerson.extend({ sample_id: z.uuid() }),
    answer: 'image/jpeg',
  },
} as const satisfies Record<string, RouteSpec>;

const CONFIGURATION = {
  'GET /api/config': {
    role: 'admin',
    summary: 'The configuration, without secrets.',
    answer: configAnswer,
  },
  'GET /api/config/schema.json': {
    role: 'viewer',
    summary: 'JSON Schema of the configuration file.',
    answer: z.looseObject({}),
  },
  'GET /api/rules': { role: 'viewer', summary: 'Rules of alerts.', answer: rulesAnswer },
  'PUT /api/rules': {
    role: 'admin',
    summary: 'Puts these rules in the place of the former, without dropping a camera.',
    body: rulesChange,
    answer: configChanged,
    isChange: true,
  },
  'GET /api/config/versions': {
    role: 'admin',
    summary: 'Earlier configurations, newest first.',
    answer: z.object({ versions: z.array(configVersion) }),
  },
  'GET /api/config/versions/:id': {
    role: 'admin',
    summary: 'An earlier configuration, without secrets.',
    path: z.strictObject({ id: z.string().min(1).max(128) }),
    answer: z.object({ text: z.string() }),
  },
  'POST /api/config/versions/:id/restore': {
    role: 'admin',
    summary: 'Puts an earlier configuration in the place of the present one, which is kept too.',
    path: z.strictObject({ id: z.string().min(1).max(128) }),
    answer: configChanged,
    isChange: true,
  },
} as const satisfies Record<string, RouteSpec>;

/** Everything that the local API answers, by method and path. */
export const ROUTES = {
  ...ACCESS,
  ...STATE,
  ...CAMERAS,
  ...HISTORY,
  ...PEOPLE,
  ...CONFIGURATION,
} as const satisfies Record<string, RouteSpec>;

export type RouteKey = keyof typeof ROUTES;

type Of<Key extends RouteKey, Part extends keyof RouteSpec> = (typeof ROUTES)[Key] extends {
  readonly [P in Part]: infer Schema;
}
  ? Schema
  : undefined;

/** What a caller gives. */
export type RouteInput<Key extends RouteKey, Part extends 'path' | 'query' | 'body'> =
  Of<Key, Part> extends z.ZodType ? z.input<Of<Key, Part>> : undefined;

/** What the API makes of it. */
export type RouteGiven<Key extends RouteKey, Part extends 'path' | 'query' | 'body'> =
  Of<Key, Part> extends z.ZodType ? z.output<Of<Key, Part>> : undefined;

/** What it answers in JSON; void for nothing, or for what is none. */
export type RouteAnswer<Key extends RouteKey> =
  Of<Key, 'answer'> extends z.ZodType ? z.input<Of<Key, 'answer'>> : undefined;
