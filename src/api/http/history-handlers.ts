import type { JournalAlert, JournalEvent } from '../../journal/contract.ts';
import { maySee, type Visitor } from '../access/visitor.ts';
import type { LocalBox } from '../local-box.ts';
import { sendEvidence } from './evidence-answer.ts';
import type { Call, Handlers } from './handlers.ts';
import { ApiProblem } from './problem.ts';

type Keys =
  | 'GET /api/events'
  | 'GET /api/events/summary'
  | 'POST /api/events/reviewed'
  | 'GET /api/events/:event_id'
  | 'PUT /api/events/:event_id/false_positive'
  | 'GET /api/events/:event_id/snapshot.jpg'
  | 'GET /api/events/:event_id/thumbnail.jpg'
  | 'GET /api/events/:event_id/face.jpg'
  | 'GET /api/alerts'
  | 'POST /api/alerts/acknowledge'
  | 'GET /api/alerts/:alert_id'
  | 'POST /api/alerts/:alert_id/notes'
  | 'GET /api/alerts/:alert_id/thumbnail.jpg'
  | 'GET /api/alerts/:alert_id/clip.mp4';

type Box = Pick<LocalBox, 'journal' | 'evidence'>;

/** Events and alerts that the box keeps, with their pictures, and what people say of them. */
export function historyHandlers(box: Box): Handlers<Keys> {
  return { ...eventHandlers(box), ...eventPictureHandlers(box), ...alertHandlers(box) };
}

function eventHandlers({ journal }: Box) {
  const { history, review } = journal;
  return {
    'GET /api/events': async ({ query, visitor }: Call<'GET /api/events'>) => {
      const cameras = camerasFor(query.cameras, visitor);
      if (cameras?.length === 0) return { events: [], next_cursor: null, has_more: false };
      const page = await history.page(eventQuery(query, cameras));
      return { events: page.rows, next_cursor: page.next, has_more: page.has_more };
    },
    'GET /api/events/summary': async ({ query, visitor }: Call<'GET /api/events/summary'>) => {
      const { after, before, per, offset_min } = query;
      const cameras = camerasFor(query.cameras, visitor);
      if (cameras?.length === 0) return { entries: [] };
      const asked = { from_ms: after, to_ms: before, per, offset_min };
      return { entries: await history.summary({ ...asked, ...(cameras && { cameras }) }) };
    },
    'POST /api/events/reviewed': async ({ body, visitor }: Call<'POST /api/events/reviewed'>) => {
      const ids = await seen(body.ids, visitor, async (id) => (await history.one(id))?.camera_id);
      return { events: await review.markReviewed(ids, visitor.name) };
    },
    'GET /api/events/:event_id': async ({ path, visitor }: Call<'GET /api/events/:event_id'>) =>
      eventFor(history, path.event_id, visitor),
    'PUT /api/events/:event_id/false_positive': async ({
      path,
      body,
      visitor,
    }: Call<'PUT /api/events/:event_id/false_positive'>) => {
      const { event_id: id } = await eventFor(history, path.event_id, visitor);
      return { events: await review.falsePositive(id, body.false_positive, visitor.name) };
    },
  };
}

function eventPictureHandlers({ journal, evidence }: Box) {
  const { history } = journal;
  type Pictured = Call<
    | 'GET /api/events/:event_id/snapshot.jpg'
    | 'GET /api/events/:event_id/thumbnail.jpg'
    | 'GET /api/events/:event_id/face.jpg'
  >;
  const picture =
    (kind: 'snapshot' | 'face') =>
    async ({ path, visitor, request, reply }: Pictured) => {
      const { event_id: id, camera_id: cameraId } = await eventFor(history, path.event_id, visitor);
      return sendEvidence({ kind, id, cameraId }, { evidence, request, reply });
    };
  return {
    'GET /api/events/:event_id/snapshot.jpg': picture('snapshot'),
    'GET /api/events/:event_id/face.jpg': picture('face'),
    'GET /api/events/:event_id/thumbnail.jpg': async (call: Pictured) => {
      const { path, visitor, request, reply } = call;
      const event = await eventFor(history, path.event_id, visitor);
      const { rows } = await history.alertsPage({ event_id: event.event_id, limit: 1 });
      const [alert] = rows;
      if (alert === undefined) return picture('snapshot')(call);
      const order = { kind: 'thumbnail' as const, id: alert.alert_id, cameraId: event.camera_id };
      return sendEvidence(order, { evidence, request, reply });
    },
  };
}

function alertHandlers({ journal, evidence }: Box) {
  const { history, review } = journal;
  type Filed = Call<
    'GET /api/alerts/:alert_id/thumbnail.jpg' | 'GET /api/alerts/:alert_id/clip.mp4'
  >;
  const file =
    (kind: 'thumbnail' | 'clip') =>
    async ({ path, visitor, request, reply }: Filed) => {
      const { alert_id: id, camera_id: cameraId } = await alertFor(history, path.alert_id, visitor);
      if (cameraId === null) throw new ApiProblem('not_found');
      return sendEvidence({ kind, id, cameraId }, { evidence, request, reply });
    };
  return {
    'GET /api/alerts': async ({ query, visitor }: Call<'GET /api/alerts'>) => {
      const cameras = camerasFor(query.cameras, visitor);
      if (cameras?.length === 0) return { alerts: [], next_cursor: null, has_more: false };
      const page = await history.alertsPage(alertQuery(query, cameras));
      const alerts = page.rows.filter((alert) => isShown(alert, visitor));
      return { alerts, next_cursor: page.next, has_more: page.has_more };
    },
    'POST /api/alerts/acknowledge': async ({
      body,
      visitor,
    }: Call<'POST /api/alerts/acknowledge'>) => {
      const alerts = await Promise.all(
        visitor.cameras === null ? [] : body.ids.map((id) => history.alert(id)),
      );
      const ids =
        visitor.cameras === null
          ? body.ids
          : alerts.flatMap((alert) => (alert && isShown(alert, visitor) ? [alert.alert_id] : []));
      return { alerts: await review.acknowledge(ids, visitor.name) };
    },
    'GET /api/alerts/:alert_id': async ({ path, visitor }: Call<'GET /api/alerts/:alert_id'>) =>
      alertFor(history, path.alert_id, visitor),
    'POST /api/alerts/:alert_id/notes': async ({
      path,
      body,
      visitor,
    }: Call<'POST /api/alerts/:alert_id/notes'>) => {
      const { alert_id: id } = await alertFor(history, path.alert_id, visitor);
      return { alerts: await review.addNote(id, body.text, visitor.name) };
    },
    'GET /api/alerts/:alert_id/thumbnail.jpg': file('thumbnail'),
    'GET /api/alerts/:alert_id/clip.mp4': file('clip'),
  };
}

type History = LocalBox['journal']['history'];

/** @throws ApiProblem not_found, also for what the visitor may not see: whether it is there is not told */
async function eventFor(history: History, id: string, visitor: Visitor): Promise<JournalEvent> {
  const event = await history.one(id);
  if (event === null || !maySee(visitor, event.camera_id)) throw new ApiProblem('not_found');
  return event;
}

/** @throws ApiProblem not_found, as `eventFor` */
async function alertFor(history: History, id: string, visitor: Visitor): Promise<JournalAlert> {
  const alert = await history.alert(id);
  if (alert === null || !isShown(alert, visitor)) throw new ApiProblem('not_found');
  return alert;
}

/** It tells of all its cameras, and one of the box itself of everything. */
function isShown({ camera_ids: cameras }: JournalAlert, visitor: Visitor): boolean {
  if (visitor.cameras === null) return true;
  return cameras.length > 0 && cameras.every((id) => maySee(visitor, id));
}

/** Cameras to ask for; null for all. */
function camerasFor(
  asked: readonly string[] | undefined,
  visitor: Visitor,
): readonly string[] | null {
  if (asked === undefined) return visitor.cameras;
  return asked.filter((id) => maySee(visitor, id));
}

/** Of ids those that the visitor may see. */
async function seen(
  ids: readonly string[],
  visitor: Visitor,
  cameraOf: (id: string) => Promise<string | undefined>,
): Promise<readonly string[]> {
  if (visitor.cameras === null) return ids;
  const cameras = await Promise.all(ids.map(cameraOf));
  return ids.filter((_, index) => maySee(visitor, cameras[index] ?? ''));
}

type Paged = Pick<
  Call<'GET /api/events'>['query'],
  'after' | 'before' | 'sort' | 'cursor' | 'limit'
>;

function pageQuery(
  { after, before, sort, cursor, limit }: Paged,
  cameras: readonly string[] | null,
) {
  return {
    from_ms: after,
    to_ms: before,
    order: sort === 'date_asc' ? 'oldest' : 'newest',
    after: cursor,
    limit,
    ...(cameras && { cameras }),
  };
}

function eventQuery(
  query: Call<'GET /api/events'>['query'],
  cameras: readonly string[] | null,
): Record<string, unknown> {
  const { labels, types, zones, person_id, severities, reviewed, false_positive, has_alert } =
    query;
  return {
    ...pageQuery(query, cameras),
    ...{ labels, types, zones, person_id, severities, has_alert },
    is_reviewed: reviewed,
    is_false_positive: false_positive,
  };
}

function alertQuery(
  query: Call<'GET /api/alerts'>['query'],
  cameras: readonly string[] | null,
): Record<string, unknown> {
  const { types, severities, event_id, acknowledged } = query;
  return {
    ...pageQuery(query, cameras),
    types,
    severities,
    event_id,
    is_acknowledged: acknowledged,
  };
}
