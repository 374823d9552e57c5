import { camerasOf } from '../../protocol/message-cameras.ts';
import { type ObjectEvent, PAYLOADS } from '../../protocol/payloads.ts';
import type { BroadcastEvent } from '../../protocol/subscription.ts';

export interface EventLineOptions {
  /** IANA name; the machine's own zone by default. */
  timeZone?: string;
}

const MAX_RAW_CHARACTERS = 160;

/**
 * One line for people: time, client, camera, type, and what there is to see, with scores.
 * A message of a type or version that this program does not know is shown as JSON.
 */
export function formatEvent(event: BroadcastEvent, options: EventLineOptions = {}): string {
  const what = describe(event);
  const line = [
    localTime(event.timestamp, options.timeZone),
    event.client_id,
    camerasOf(event.type, event.data).join(', ') || '-',
    event.type,
    event.replayed ? `${what} (late)` : what,
  ].join('  ');
  return printable(line);
}

function describe({ type, data }: BroadcastEvent): string {
  const describer = Object.hasOwn(DESCRIBERS, type) ? DESCRIBERS[type] : undefined;
  return describer?.(data) ?? shortened(JSON.stringify(data) ?? '');
}

type Describer = (data: unknown) => string | undefined;

const DESCRIBERS: Readonly<Record<string, Describer>> = {
  ai_detection_result(data) {
    const parsed = PAYLOADS.ai_detection_result.schema.safeParse(data);
    if (!parsed.success) return undefined;
    const objects = parsed.data.detections.map(
      ({ label, confidence }) => `${label} ${score(confidence)}`,
    );
    return objects.join(', ') || 'nothing';
  },
  object_event(data) {
    const parsed = PAYLOADS.object_event.schema.safeParse(data);
    if (!parsed.success) return undefined;
    const {
      phase,
      label,
      track_id: track,
      top_score: top,
      start_time,
      last_seen_time,
    } = parsed.data;
    const seconds = ((last_seen_time - start_time) / 1000).toFixed(1);
    const reason = parsed.data.end_reason === undefined ? '' : ` (${parsed.data.end_reason})`;
    return `${phase} ${label} #${track} ${score(top)}, ${seconds} s${whereabouts(parsed.data)}${reason}`;
  },
  alert_triggered(data) {
    const parsed = PAYLOADS.alert_triggered.schema.safeParse(data);
    return parsed.success ? `${parsed.data.severity} ${parsed.data.type}` : undefined;
  },
  alert_thumbnail(data) {
    const parsed = PAYLOADS.alert_thumbnail.schema.safeParse(data);
    if (!parsed.success) return undefined;
    const { alert_id: alert, width, height, jpeg } = parsed.data;
    return `${alert} ${jpeg === '' ? 'taken back' : `${width}x${height}`}`;
  },
  face_detection_result(data) {
    const parsed = PAYLOADS.face_detection_result.schema.safeParse(data);
    if (!parsed.success) return undefined;
    const count = parsed.data.faces.length;
    return count === 1 ? '1 face' : `${count} faces`;
  },
  ai_engine_status(data) {
    const parsed = PAYLOADS.ai_engine_status.schema.safeParse(data);
    if (!parsed.success) return undefined;
    const { status, model, provider, cameras } = parsed.data;
    const states = cameras.map(
      ({ camera_id: id, state, fps }) => `${id} ${state} ${fps.toFixed(1)} fps`,
    );
    return `${status} ${model} on ${provider ?? 'nothing'}; ${states.join(', ') || 'no cameras'}`;
  },
};

/** Where it is; of one that has ended where it has been. */
function whereabouts({ phase, current_zones = [], entered_zones = [] }: ObjectEvent): string {
  const zones = (phase === 'end' ? entered_zones : current_zones).join(', ');
  if (zones === '') return '';
  return phase === 'end' ? `, was in ${zones}` : `, in ${zones}`;
}

function score(value: number): string {
  return value.toFixed(2);
}

function shortened(text: string): string {
  return text.length > MAX_RAW_CHARACTERS ? `${text.slice(0, MAX_RAW_CHARACTERS)}…` : text;
}

function localTime(ms: number, timeZone: string | undefined): string {
  // Swedish writes dates the ISO way.
  const format = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'medium',
    ...(timeZone !== undefined && { timeZone }),
  });
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'at an unknown time';
  return `${format.format(date)}.${String(date.getUTCMilliseconds()).padStart(3, '0')}`;
}

/** Without control characters: what a client sent must not command the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{FFFD}');
}
