import type { CameraView, ConditionView, EdgeStatus, EvidenceUpstreamView } from './edge-status.ts';
import { alarmLines, connectionText, waitingText } from './queue-view.ts';
import { duration, grouped } from './text.ts';

/** The status as a person reads it in a terminal. Pure: status in, lines out. */
export function statusLines(status: EdgeStatus): string[] {
  return [
    ...alarmLines(status.queue),
    ...detectorLines(status),
    ...faceLines(status),
    '',
    ...cameraTable(status.cameras),
    ...placeLines(status.cameras),
    ...changeLines(status.cameras),
    ...faultLines(status.cameras),
    ...evidenceLines(status),
    ...journalLines(status),
    ...conditionLines(status.conditions),
    '',
    uplinkLine(status),
    queueLine(status),
    ...apiLines(status),
    ...status.config_problems.map((problem) => `configuration: ${problem}`),
  ];
}

/** Where people look, or why they cannot. */
function apiLines({ api }: EdgeStatus): string[] {
  if (!api.enabled) return [];
  if (api.fault !== null)
    return [`console   ${api.fault.message} (${api.fault.code})`, `          ${api.fault.remedy}`];
  if (api.url === null) return ['console   starting'];
  const hint = api.has_tokens ? '' : '; nobody can log in yet: `apex-edge access init`';
  return [`console   ${api.url}${hint}`];
}

function detectorLines({ detector }: EdgeStatus): string[] {
  const { provider } = detector;
  const engine =
    provider === null
      ? detector.state
      : `${provider.provider}, ${provider.inferenceMs.toFixed(0)} ms a frame`;
  const lines = [`detector  ${detector.model} on ${engine}`];
  if (detector.is_test_detector) {
    lines.push('          TEST DETECTOR on a generated scene: nothing shown here is a real object');
  }
  for (const { provider: refused, reason } of provider?.refused ?? []) {
    lines.push(`          ${refused} was refused: ${reason}`);
  }
  if (provider?.formReason) lines.push(`          not prepared: ${provider.formReason}`);
  if (detector.restarts > 0) lines.push(`          restarted ${detector.restarts} times`);
  return lines;
}

/** What reads faces, and whom it knows. */
function faceLines({ faces, cameras }: EdgeStatus): string[] {
  if (faces === null) return [];
  if (faces.fault !== null) {
    return [
      `faces     not read: ${faces.fault.message} (${faces.fault.code})`,
      `          ${faces.fault.remedy}`,
    ];
  }
  const people = faces.people === null ? 'not yet loaded' : `${faces.people} people known`;
  const all = cameras.flatMap((camera) => camera.faces ?? []);
  const decided = all.reduce((sum, each) => sum + each.decided, 0);
  const named = all.reduce((sum, each) => sum + each.named, 0);
  const on = faces.provider === null ? '' : ` on ${faces.provider}`;
  return [`faces     ${faces.detector}${on}, ${people}; ${decided} faces told, ${named} by name`];
}

const COLUMNS: readonly { title: string; width: number; of: (camera: CameraView) => string }[] = [
  { title: 'CAMERA', width: 18, of: (camera) => camera.camera_id },
  { title: 'STATE', width: 12, of: (camera) => camera.state },
  { title: 'FPS', width: 6, of: (camera) => camera.fps.toFixed(1) },
  { title: 'OBJECTS NOW', width: 24, of: (camera) => objectsText(camera.objects) },
  { title: 'EVENTS', width: 8, of: (camera) => String(camera.events_started) },
  { title: 'ALERTS', width: 7, of: (camera) => String(camera.alerts) },
  { title: 'DROPPED', width: 8, of: (camera) => String(camera.frames_dropped) },
  { title: 'DECODER', width: 10, of: (camera) => camera.decoder?.decoder ?? '-' },
];

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) => padded(cell, COLUMNS[index]?.width ?? 0))
    .join(' ')
    .trimEnd();
}

function padded(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

function cameraTable(cameras: readonly CameraView[]): string[] {
  if (cameras.length === 0) return ['no cameras are configured'];
  return [
    row(COLUMNS.map(({ title }) => title)),
    ...cameras.map((camera) => row(COLUMNS.map(({ of }) => of(camera)))),
  ];
}

function objectsText(objects: Readonly<Record<string, number>>): string {
  const parts = Object.entries(objects).map(([label, count]) => `${count} ${label}`);
  return parts.length === 0 ? '-' : parts.join(', ');
}

/** Clips that could not be made, and evidence that the hub will never have. */
function evidenceLines({ cameras, evidence, evidence_upstream }: EdgeStatus): string[] {
  const missed = cameras.flatMap(({ camera_id, clips }) =>
    clips === null || clips.missed === 0
      ? []
      : [`${camera_id}: ${clips.missed} alerts have no clip`],
  );
  const lost = Object.entries(evidence).flatMap(([name, { evicted_undelivered: count }]) =>
    count === 0
      ? []
      : [`evidence  ${count} ${name} files were deleted before the hub had their events`],
  );
  return [...missed, ...lost, ...upstreamLines(evidence_upstream)];
}

/** What went to the hub of it, and what did not. */
function upstreamLines(view: EvidenceUpstreamView): string[] {
  const { thumbnails_sent, thumbnails_withheld, requests_sent, bytes_today, daily_bytes } = view;
  const refused = Object.entries(view.requests_refused);
  const total = thumbnails_sent + thumbnails_withheld + requests_sent + refused.length;
  if (total === 0) return [];
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return [
    `evidence  ${grouped(thumbnails_sent)} thumbnails and ${grouped(requests_sent)} requested files sent to the hub; ` +
      `${megabytes(bytes_today)} of ${megabytes(daily_bytes)} MB today`,
    ...(thumbnails_withheld === 0
      ? []
      : [
          `          ${grouped(thumbnails_withheld)} thumbnails were not sent: the day's allowance was spent`,
        ]),
    ...refused.map(
      ([code, count]) => `          ${grouped(count)} requests were not served [${code}]`,
    ),
  ];
}

/** What can be looked back at, and what cannot. */
function journalLines({ journal }: EdgeStatus): string[] {
  const { events, alerts, open_alerts, oldest, fault } = journal;
  const since = oldest === null ? '' : `, since ${new Date(oldest).toISOString().slice(0, 10)}`;
  const lost = journal.lost_events + journal.lost_alerts;
  const evicted = journal.evicted_events + journal.evicted_alerts;
  return [
    ...(events === null || alerts === null
      ? ['journal   not open yet']
      : [
          `journal   ${grouped(events)} events, ${grouped(alerts)} alerts (${grouped(open_alerts ?? 0)} not acknowledged)${since}`,
        ]),
    ...(fault === null
      ? []
      : [
          `          NOT WRITTEN, ${grouped(journal.waiting)} wait in memory: ${fault.message} [${fault.code}]`,
          `          ${fault.remedy}`,
        ]),
    ...(lost === 0 ? [] : [`          ${grouped(lost)} were lost before they could be written`]),
    ...(evicted === 0 ? [] : [`          ${grouped(evicted)} were deleted to make room`]),
    ...(journal.damaged_files === 0
      ? []
      : [`          ${journal.damaged_files} damaged files were set aside (journal.corrupt-*)`]),
  ];
}

function conditionLines(conditions: readonly ConditionView[]): string[] {
  return conditions.map(({ type, severity, camera_ids, since_s, why }) => {
    const of = camera_ids.length === 0 ? '' : ` ${camera_ids.join(', ')}`;
    return `alert for ${duration(since_s)}: ${severity} ${type}${of}: ${why}`;
  });
}

/** What is in zones now, and what has crossed lines. */
function placeLines(cameras: readonly CameraView[]): string[] {
  return cameras.flatMap(({ camera_id, zones, lines }) => {
    const parts = [
      ...Object.entries(zones).map(([zone, count]) => `${count} in ${zone}`),
      ...Object.entries(lines).map(
        ([line, { left, right }]) =>
          `${line} crossed ${left} times to the left, ${right} to the right`,
      ),
    ];
    return parts.length === 0 ? [] : [`${camera_id}: ${parts.join('; ')}`];
  });
}

function changeLines(cameras: readonly CameraView[]): string[] {
  return cameras.flatMap(({ camera_id, change }) =>
    change === null ? [] : [`${camera_id}: ${change}, unlike the configuration`],
  );
}

function faultLines(cameras: readonly CameraView[]): string[] {
  return cameras.flatMap((camera) => {
    if (camera.fault === null) return [];
    const retry =
      camera.retry_in_s === null ? '' : `; next try in ${Math.ceil(camera.retry_in_s)} s`;
    return [
      `${camera.camera_id}: ${camera.fault.message} [${camera.fault.code}]${retry}`,
      `  what to do: ${camera.fault.remedy}`,
    ];
  });
}

function uplinkLine({ uplink }: EdgeStatus): string {
  if (uplink.state === 'off') return 'uplink    off: no uplink.url is configured, events stay here';
  const error = uplink.error === null ? '' : `; ${uplink.error.message} [${uplink.error.code}]`;
  return `uplink    ${connectionText(uplink)}${error}`;
}

function queueLine({ queue }: EdgeStatus): string {
  const evicted = queue.lanes.reduce((sum, lane) => sum + lane.evicted, 0);
  const parts = [
    waitingText(queue),
    ...(evicted === 0 ? [] : [`${grouped(evicted)} deleted unsent`]),
    ...(queue.dead_letters === 0 ? [] : [`${grouped(queue.dead_letters)} dead letters`]),
  ];
  const isRemarkable = evicted > 0 || queue.dead_letters > 0 || queue.depth > 0;
  return `queue     ${parts.join(', ')}${isRemarkable ? ' (more: apex-edge queue)' : ''}`;
}
