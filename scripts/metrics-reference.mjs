// Writes docs/metrics.md from the metrics of the compiled program.
// `--check` writes nothing, and fails when the document differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EdgeMetrics } from '../dist/api/edge-metrics.js';
import { HubMetrics } from '../dist/hub/http/hub-metrics.js';

const document = fileURLToPath(new URL('../docs/metrics.md', import.meta.url));

const INTRODUCTION = `# Metrics

\`apex-edge metrics\` prints the daemon's metrics in the Prometheus text format; the daemon itself serves them as
\`GET /metrics\` on \`control.sock\` in its data folder, to the user that it runs as. It opens no port for them.

For Prometheus, let [node_exporter's textfile collector](https://github.com/prometheus/node_exporter#textfile-collector)
read them, with a timer or cron job every 15 to 60 seconds that replaces the file in one step:

\`\`\`sh
dir=/var/lib/prometheus/node-exporter
apex-edge metrics >"$dir/apex-edge.prom.new" && mv "$dir/apex-edge.prom.new" "$dir/apex-edge.prom"
\`\`\`

Or look at them by hand: \`curl --unix-socket /var/lib/apex-edge/control.sock http://localhost/metrics\`.

## Worth an alarm

| What | Expression |
|---|---|
| Nothing reaches the hub | \`apex_edge_queue_oldest_age_seconds{lane="alerts"} > 60\` |
| Messages were lost for want of space | \`increase(apex_edge_queue_evicted_messages_total[1h]) > 0\` |
| The disk does not take anything | \`apex_edge_queue_memory_mode == 1\` or \`apex_edge_queue_ballast_ready == 0\` |
| The hub refuses this edge | \`apex_edge_uplink_breaker_state{state="open"} == 1\` |
| The hub refuses messages | \`delta(apex_edge_queue_dead_letters[1h]) > 0\` |
| A camera is gone | \`apex_edge_camera_state{state="streaming"} == 0\` for 5 minutes |
| The clock is wrong | \`abs(apex_edge_uplink_clock_offset_seconds) > 5\` |
| The metrics themselves are old | \`time() - node_textfile_mtime_seconds{file=~".*apex-edge.prom"} > 300\` |

## The hub

The hub serves its own metrics as \`GET /metrics\` on its port, to tokens with the scope \`admin\`, or to everybody
with \`hub.metrics.open: true\` ([hub-api.md](hub-api.md)):

\`\`\`yaml
scrape_configs:
  - job_name: apex-hub
    authorization: { credentials_file: /etc/prometheus/apex-hub-token }
    static_configs: [{ targets: ["hub.example.org:8080"] }]
\`\`\`

| What | Expression |
|---|---|
| The disk is slow | \`histogram_quantile(0.99, rate(apex_hub_commit_seconds_bucket[5m])) > 0.25\` |
| Nothing can be stored | \`increase(apex_hub_store_failures_total[5m]) > 0\` |
| No edge is connected | \`apex_hub_clients{type="ai_engine"} == 0\` |
| Edges declare losses | \`increase(apex_hub_gaps_total[1h]) > 0\` |
| Somebody guesses tokens | \`rate(apex_hub_auth_failures_total[5m]) > 0.1\` |

## All metrics

A sample that has nothing to tell is left out. This file is made by \`npm run docs\` from \`src/api/edge-metrics.ts\`
and \`src/hub/http/hub-figures.ts\`.
`;

const TABLE = `
| Name | Type | Labels | Meaning |
|---|---|---|---|
`;

function table(title, metrics) {
  const rows = metrics.descriptions().map(({ name, type, labels, help }) => {
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${names} | ${help} |\n`;
  });
  return `\n### ${title}\n${TABLE}${rows.join('')}`;
}

function render() {
  const edge = table('Of the daemon', new EdgeMetrics());
  return INTRODUCTION + edge + table('Of the hub', new HubMetrics());
}

const expected = render();
if (!process.argv.includes('--check')) writeFileSync(document, expected);
else if (readFileSync(document, 'utf8') !== expected) {
  console.error('docs/metrics.md is not what the program tells; run: npm run docs');
  process.exitCode = 1;
}
