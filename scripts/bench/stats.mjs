// Numbers of a benchmark: percentiles, medians over rounds, and the machine that they are of.

import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Nearest rank. @param share 0..1 */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function latencies(values) {
  return {
    p50_ms: rounded(percentile(values, 0.5)),
    p99_ms: rounded(percentile(values, 0.99)),
    max_ms: rounded(percentile(values, 1)),
  };
}

/** Latencies of which there are too many to keep each: counted by the millisecond, those of a minute and more as one. */
export class LatencyCounts {
  #counts = new Float64Array(60_000);
  #total = 0;

  note(ms) {
    this.#counts[Math.min(this.#counts.length - 1, Math.max(0, Math.round(ms)))]++;
    this.#total++;
  }

  /** As `latencies` gives them. */
  summary() {
    return { p50_ms: this.#rank(0.5), p99_ms: this.#rank(0.99), max_ms: this.#rank(1) };
  }

  /** Nearest rank. */
  #rank(share) {
    let above = Math.max(1, Math.ceil(share * this.#total));
    const at = this.#counts.findIndex((count) => {
      above -= count;
      return above <= 0;
    });
    return at < 0 ? Number.NaN : at;
  }
}

export function rounded(value, digits = 2) {
  return Number(value.toFixed(digits));
}

/** CPU, memory, and the file system that holds the folder: what durable writing costs depends on it. */
export function machine(folder) {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const { stdout } = spawnSync('df', ['--output=source,fstype', folder], { encoding: 'utf8' });
  const disk = stdout.trim().split('\n').at(-1).trim().replace(/\s+/g, ' ');
  return `${cpus().length} x ${cpus()[0].model}, ${memory}, ${disk}, Node ${process.version}`;
}

/** Prints a table: names to the left, numbers to the right. @param header null for none */
export function printTable(header, rows) {
  const cells = [...(header === null ? [] : [header]), ...rows].map((row) => row.map(shown));
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  for (const row of cells) {
    const line = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
    );
    console.log(line.join('  ').trimEnd());
  }
}

function shown(cell) {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  return cell >= 1000 ? Math.round(cell).toLocaleString('en') : String(rounded(cell));
}
