import type { MetricReadings, Reading } from '../system/metric-readings.ts';
import type { ConditionView, EdgeStatus, EvidenceView } from './edge-status.ts';

/** Metrics of what the box keeps for people: evidence, the journal, and what is not over. */

const EVIDENCE: readonly Reading<EvidenceView>[] = [
  { name: 'evidence_bytes', help: 'Evidence that is kept.', of: ({ bytes }) => bytes },
  {
    name: 'evidence_evicted_total',
    help: 'Files deleted to make room.',
    of: ({ evicted }) => evicted,
  },
  {
    name: 'evidence_evicted_undelivered_total',
    help: 'Of these, files whose event the hub did not have yet.',
    of: ({ evicted_undelivered }) => evicted_undelivered,
  },
];

const EVIDENCE_UPSTREAM: readonly Reading<EdgeStatus['evidence_upstream']>[] = [
  {
    name: 'evidence_sent_today_bytes',
    help: 'Evidence sent to the hub on this day (UTC).',
    of: ({ bytes_today }) => bytes_today,
  },
  {
    name: 'evidence_daily_bytes',
    help: 'What may be sent on a day.',
    of: ({ daily_bytes }) => daily_bytes,
  },
  {
    name: 'evidence_thumbnails_sent_total',
    help: 'Thumbnails of alerts that were queued for the hub.',
    of: ({ thumbnails_sent }) => thumbnails_sent,
  },
  {
    name: 'evidence_thumbnails_withheld_total',
    help: 'Thumbnails that were not, since the allowance of the day was spent.',
    of: ({ thumbnails_withheld }) => thumbnails_withheld,
  },
  {
    name: 'evidence_requests_sent_total',
    help: 'Files that the hub asked for and got.',
    of: ({ requests_sent }) => requests_sent,
  },
];

const JOURNAL: readonly Reading<EdgeStatus['journal']>[] = [
  { name: 'journal_events', help: 'Events kept for looking back.', of: ({ events }) => events },
  { name: 'journal_alerts', help: 'Alerts kept for looking back.', of: ({ alerts }) => alerts },
  {
    name: 'journal_open_alerts',
    help: 'Alerts that nobody has acknowledged.',
    of: ({ open_alerts }) => open_alerts,
  },
  { name: 'journal_bytes', help: 'Disk space of the journal.', of: ({ bytes }) => bytes },
  {
    name: 'journal_waiting',
    help: 'Events and alerts that are not written yet.',
    of: ({ waiting }) => waiting,
  },
  {
    name: 'journal_evicted_total',
    help: 'Events and alerts deleted to make room, since the file was made.',
    of: ({ evicted_events, evicted_alerts }) => evicted_events + evicted_alerts,
  },
  {
    name: 'journal_lost_total',
    help: 'Events and alerts given up before they could be written, since the file was made.',
    of: ({ lost_events, lost_alerts }) => lost_events + lost_alerts,
  },
  {
    name: 'journal_failing',
    help: '1 while the journal cannot be written.',
    of: ({ fault }) => Number(fault !== null),
  },
];

/** How many conditions there are, by the type of their alert. */
function countByType(conditions: readonly ConditionView[]): [number, { type: string }][] {
  const counts = new Map<string, number>();
  for (const { type } of conditions) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => [count, { type }]);
}

/** Registers these metrics. @param statusOf where the status stands in a snapshot */
export function readKept<Snapshot>(
  readings: MetricReadings<Snapshot>,
  statusOf: (snapshot: Snapshot) => EdgeStatus,
): void {
  readings.read(EVIDENCE, ['class'], (from) =>
    Object.entries(statusOf(from).evidence).map(([name, view]) => [view, { class: name }]),
  );
  readings.read(EVIDENCE_UPSTREAM, [], (from) => [[statusOf(from).evidence_upstream, {}]]);
  readings.oneOf(
    'evidence_requests_refused_total',
    'Files that the hub asked for and did not get, by the code of the reason.',
    ['code'],
    (from) =>
      Object.entries(statusOf(from).evidence_upstream.requests_refused).map(([code, count]) => [
        count,
        { code },
      ]),
  );
  readings.read(JOURNAL, [], (from) => [[statusOf(from).journal, {}]]);
  readings.oneOf(
    'conditions',
    'What alerts have told of cameras and box and is not over, by the type of the alert.',
    ['type'],
    (from) => countByType(statusOf(from).conditions),
  );
}
