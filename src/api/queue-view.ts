import type { Lane } from '../protocol/lanes.ts';
import type { DeadLetterView, EdgeStatus, LaneView, QueueView, UplinkView } from './edge-status.ts';
import { bytes, type Column, duration, grouped, messages, table } from './text.ts';

const LANE_NAMES: Readonly<Record<Lane, string>> = {
  0: 'alerts',
  1: 'events',
  2: 'detections',
  3: 'state',
};

export function laneName(lane: Lane): string {
  return LANE_NAMES[lane];
}

/** What waits for the hub, and what stands in its way, as a person reads it. Pure: status in, lines out. */
export function queueLines({ queue, uplink }: EdgeStatus): string[] {
  return [
    ...alarmLines(queue),
    ...(uplink.state === 'off'
      ? []
      : [waitingText(queue), '', ...table(LANE_COLUMNS, queue.lanes), '']),
    ...lossLines(queue),
    diskLine(queue),
    ...deadLetterLines(queue),
    '',
    ...uplinkLines(uplink),
  ];
}

/** Without a full stop. */
export function waitingText({ depth, lanes }: QueueView): string {
  if (depth === 0) return 'nothing waits for the hub';
  const oldest = lanes.reduce((most, { oldest_s }) => Math.max(most, oldest_s ?? 0), 0);
  const verb = depth === 1 ? 'waits' : 'wait';
  return `${messages(depth)} ${verb} for the hub, the oldest for ${duration(oldest)}`;
}

const LANE_COLUMNS: readonly Column<LaneView>[] = [
  { title: 'LANE', of: ({ lane }) => laneName(lane) },
  { title: 'WAITING', of: ({ depth }) => grouped(depth), align: 'right' },
  { title: 'ON DISK', of: (lane) => grouped(lane.depth - lane.in_memory), align: 'right' },
  { title: 'IN MEMORY', of: (lane) => grouped(lane.in_memory), align: 'right' },
  { title: 'SIZE', of: (lane) => bytes(lane.bytes), align: 'right' },
  { title: 'OLDEST', of: ({ oldest_s }) => age(oldest_s, '-'), align: 'right' },
  { title: 'LAST ACK', of: ({ last_ack_s }) => age(last_ack_s, 'never', ' ago'), align: 'right' },
  { title: 'EVICTED', of: ({ evicted }) => grouped(evicted), align: 'right' },
  { title: 'GAPS', of: ({ gaps }) => grouped(gaps), align: 'right' },
];

function age(seconds: number | null, otherwise: string, suffix = ''): string {
  return seconds === null ? otherwise : duration(seconds) + suffix;
}

/** What a person has to see first: that the disk does not take what comes, or soon will not. */
export function alarmLines({ mode, fault, lanes, disk }: QueueView): string[] {
  const lines: string[] = [];
  if (mode === 'memory') {
    const inMemory = lanes.reduce((sum, lane) => sum + lane.in_memory, 0);
    const what = `${messages(inMemory)} in memory, lost if the daemon ends`;
    lines.push(`THE DISK CANNOT BE WRITTEN: ${what}`);
  } else if (fault !== null) {
    lines.push('THE QUEUE HAS A FAULT');
  }
  if (fault !== null)
    lines.push(`  why:        ${fault.message} [${fault.code}]`, `  what to do: ${fault.remedy}`);
  if (disk.ballast === 'spent')
    lines.push(
      'THE DISK IS FULL: the emergency reserve is spent, and what matters least is given up first',
      '  what to do: free space on the file system of the data folder, or bring the hub back',
    );
  return lines.length === 0 ? [] : [...lines, ''];
}

function lossLines({ lanes, damaged_files }: QueueView): string[] {
  const evicted = lanes.filter((lane) => lane.evicted > 0);
  const lines = evicted.map(
    (lane) =>
      `${laneName(lane.lane)}: ${messages(lane.evicted)} (${bytes(lane.evicted_bytes)}) deleted unsent, because the disk budget was used up; the hub is told`,
  );
  const gaps = lanes.reduce((sum, lane) => sum + lane.gaps, 0);
  if (gaps > 0)
    lines.push(
      `gaps: ${grouped(gaps)} to be told to the hub, so that it knows which messages are lost`,
    );
  if (damaged_files > 0)
    lines.push(
      `${damaged_files} damaged database ${damaged_files === 1 ? 'file was' : 'files were'} set aside in the data folder (outbox.corrupt-*); what could be read was kept`,
    );
  return lines.length === 0 ? [] : [...lines, ''];
}

function diskLine({ disk }: QueueView): string {
  const free =
    disk.free_bytes === null ? '' : `, ${bytes(disk.free_bytes)} free on the file system`;
  const reserve = `emergency reserve ${disk.ballast === 'ready' ? 'in place' : 'spent'}`;
  return `disk          ${bytes(disk.used_bytes)} of ${bytes(disk.budget_bytes)} used${free}; ${reserve}`;
}

function deadLetterLines({ dead_letters }: QueueView): string[] {
  if (dead_letters === 0) return ['dead letters  none'];
  return [
    `dead letters  ${messages(dead_letters)} refused and kept; to see them: apex-edge queue --dead-letters`,
  ];
}

/** State of the connection, and what keeps it from being better. */
function uplinkLines(uplink: UplinkView): string[] {
  const line = (text: string): string => `              ${text}`;
  if (uplink.state === 'off')
    return ['uplink        off: no uplink.url is configured, nothing is queued'];
  const lines = [`uplink        ${connectionText(uplink)}`];
  if (uplink.state === 'authenticated' && uplink.breaker.state === 'half_open')
    lines.push(line('the hub refused this edge before: a few messages at first'));
  if (uplink.error !== null)
    lines.push(
      line(`why:        ${uplink.error.message} [${uplink.error.code}]`),
      line(`what to do: ${uplink.error.remedy}`),
    );
  if (uplink.delivery_level === 'process')
    lines.push(
      line('the hub speaks the original protocol: delivered means received, not on its disk'),
    );
  if (uplink.withheld > 0)
    lines.push(line(`${messages(uplink.withheld)} of kinds that this hub does not know, not sent`));
  const [conflict] = uplink.camera_conflicts;
  if (conflict !== undefined) {
    const more = uplink.camera_conflicts.length - 1;
    lines.push(
      line(`not alone:  ${conflict}${more === 0 ? '' : `, and ${more} more`}`),
      line('what to do: give the camera another name here or there, or take it out of one edge'),
    );
  }
  if (uplink.clock !== null) lines.push(line(clockText(uplink.clock)));
  return lines;
}

/** Where the connection stands. While it is tried again and again, the single tries are of no interest. */
export function connectionText(uplink: UplinkView): string {
  const { state, url, since_s, last_ack_s, in_flight, attempts, breaker, backoff } = uplink;
  const ack = last_ack_s === null ? '' : `, last acknowledgement ${duration(last_ack_s)} ago`;
  if (state === 'authenticated') {
    const flight = in_flight === 0 ? '' : `, ${messages(in_flight)} on the way`;
    return `connected to ${url} for ${duration(since_s)}${ack}${flight}`;
  }
  if (breaker.state === 'open') {
    const reason = breaker.reason === null ? '' : ` [${breaker.reason}]`;
    const retry = age(breaker.retry_in_s, 'a moment');
    return `REFUSED by ${url}${reason}, asked again in ${retry}${ack}`;
  }
  if (attempts === 0) return `connecting to ${url}`;
  const tries = attempts === 1 ? '1 try failed' : `${grouped(attempts)} tries in a row failed`;
  const next = backoff.next_try_s === null ? '' : `, the next in ${soon(backoff.next_try_s)}`;
  return `NOT CONNECTED to ${url}: ${tries}${next}${ack}`;
}

function soon(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

function clockText({ offset_ms, round_trip_ms }: NonNullable<UplinkView['clock']>): string {
  const off = Math.abs(offset_ms);
  const roundTrip = `round trip ${round_trip_ms.toFixed(0)} ms`;
  // Nothing below it can be known.
  if (off <= Math.max(1, round_trip_ms))
    return `this machine's clock agrees with the hub's; ${roundTrip}`;
  const size = off < 1000 ? `${off.toFixed(0)} ms` : duration(off / 1000);
  const side = offset_ms > 0 ? 'behind' : 'ahead of';
  return `this machine's clock is ${size} ${side} the hub's; ${roundTrip}`;
}

const LETTER_COLUMNS: readonly Column<DeadLetterView>[] = [
  { title: 'WHEN', of: ({ at }) => new Date(at).toISOString() },
  { title: 'LANE', of: ({ lane }) => laneName(lane) },
  { title: 'WHAT', of: ({ type }) => type ?? '?' },
  { title: 'NUMBER', of: ({ seq }) => String(seq), align: 'right' },
  { title: 'SIZE', of: (letter) => bytes(letter.bytes), align: 'right' },
  { title: 'WHY', of: ({ code, reason }) => `${reason} [${code}]` },
];

export function deadLetterTable(letters: readonly DeadLetterView[]): string[] {
  if (letters.length === 0) return ['There are no dead letters: every message was deliverable.'];
  return table(LETTER_COLUMNS, letters);
}
