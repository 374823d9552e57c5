import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EdgeMetrics } from '../../../src/api/edge-metrics.ts';
import type { EdgeStatus } from '../../../src/api/edge-status.ts';
import { camera, lane, status } from '../../support/edge-status.ts';

const facts = {
  rssBytes: 1e8,
  cpuSeconds: 12.5,
  eventLoopDelay: { mean: 0.001, p99: 0.004, max: 0.2 },
};

function samples(changes: Partial<EdgeStatus> = {}, metrics = new EdgeMetrics()): string[] {
  return metrics
    .render({ ...status, ...changes }, facts)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('EdgeMetrics', () => {
  test('tells what the status tells', () => {
    const lanes = [
      lane({ lane: 0, depth: 3, bytes: 1200, oldest_s: 4, last_ack_s: null, evicted: 7 }),
    ];
    const condition = { severity: 'high' as const, since_s: 5, why: 'it is dark' };
    const told = samples({
      queue: { ...status.queue, depth: 3, lanes, dead_letters: 2 },
      evidence: { clip: { bytes: 5e8, evicted: 9, evicted_undelivered: 3 } },
      evidence_upstream: { ...status.evidence_upstream, requests_refused: { EVIDENCE_UNKNOWN: 4 } },
      journal: { ...status.journal, open_alerts: 6 },
      conditions: ['gate', 'yard'].map((id) => ({
        ...{ ...condition, type: 'camera_obscured', camera_ids: [id] },
      })),
    });
    for (const line of [
      'apex_edge_info{version="0.1.0",edge_id="north-yard"} 1',
      'apex_edge_resident_memory_bytes 100000000',
      'apex_edge_event_loop_delay_p99_seconds 0.004',
      'apex_edge_queue_messages{lane="alerts"} 3',
      'apex_edge_queue_bytes{lane="alerts"} 1200',
      'apex_edge_queue_oldest_age_seconds{lane="alerts"} 4',
      'apex_edge_queue_evicted_messages_total{lane="alerts"} 7',
      'apex_edge_queue_dead_letters 2',
      'apex_edge_evidence_evicted_undelivered_total{class="clip"} 3',
      'apex_edge_evidence_requests_refused_total{code="EVIDENCE_UNKNOWN"} 4',
      'apex_edge_journal_open_alerts 6',
      'apex_edge_conditions{type="camera_obscured"} 2',
      'apex_edge_queue_ballast_ready 1',
      'apex_edge_queue_memory_mode 0',
      'apex_edge_uplink_state{state="authenticated"} 1',
      'apex_edge_uplink_state{state="disconnected"} 0',
      'apex_edge_uplink_breaker_state{state="open"} 0',
      'apex_edge_uplink_connections_total 1',
      'apex_edge_uplink_clock_offset_seconds 0.0124',
      'apex_edge_camera_state{camera="gate",state="streaming"} 1',
      'apex_edge_camera_frames_dropped_total{camera="gate"} 10',
    ])
      expect(told).toContain(line);
  });

  test('leaves out what is not known', () => {
    const lanes = [lane({ lane: 0, last_ack_s: null })];
    const told = samples({
      queue: { ...status.queue, lanes, disk: { ...status.queue.disk, free_bytes: null } },
      uplink: { ...status.uplink, clock: null },
    }).join('\n');
    expect(told).not.toContain('last_ack_age');
    expect(told).not.toContain('disk_free');
    expect(told).not.toContain('clock_offset');
    expect(told).not.toContain('next_try');
  });

  test('tells nothing any more of a camera that is gone', () => {
    const metrics = new EdgeMetrics();
    samples({ cameras: [camera, { ...camera, camera_id: 'yard' }] }, metrics);
    expect(samples({ cameras: [camera] }, metrics).join('\n')).not.toContain('"yard"');
  });

  test('counts how long frames took', () => {
    const metrics = new EdgeMetrics();
    metrics.frameAnalysed('gate', 27);
    metrics.frameAnalysed('gate', 90);
    const told = samples({}, metrics);
    expect(told).toContain('apex_edge_inference_seconds_bucket{camera="gate",le="0.03"} 1');
    expect(told).toContain('apex_edge_inference_seconds_count{camera="gate"} 2');
  });

  test('names end in their unit', () => {
    const unitless = new EdgeMetrics()
      .descriptions()
      .map(({ name }) => name)
      .filter((name) => !/_(seconds|bytes|total|messages|state|per_second)$/.test(name));
    expect(unitless).toEqual([
      'apex_edge_info',
      'apex_edge_config_problems',
      'apex_edge_detector_running',
      'apex_edge_queue_memory_mode',
      'apex_edge_queue_ballast_ready',
      'apex_edge_queue_dead_letters',
      'apex_edge_queue_damaged_files',
      'apex_edge_queue_gaps',
      'apex_edge_uplink_failed_attempts',
      'apex_edge_journal_events',
      'apex_edge_journal_alerts',
      'apex_edge_journal_open_alerts',
      'apex_edge_journal_waiting',
      'apex_edge_journal_failing',
      'apex_edge_conditions',
    ]);
  });
});

test('docs/metrics.md is what the program tells', () => {
  const script = fileURLToPath(new URL('../../../scripts/metrics-reference.mjs', import.meta.url));
  const { status: code, stderr } = spawnSync(process.execPath, [script, '--check'], {
    encoding: 'utf8',
  });
  expect(stderr, 'npm run docs writes it anew').toBe('');
  expect(code).toBe(0);
});
