import { readFile } from 'node:fs/promises';
import { cpus, freemem, loadavg, release, totalmem } from 'node:os';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import type { BoxConfiguration, LocalBox } from '../../api/local-box.ts';
import type { Clock } from '../../system/clock.ts';
import { asApexError } from '../../system/errors.ts';
import { packageVersion } from '../../system/package-info.ts';
import { redact, redactText } from '../../system/redact.ts';

export interface SupportBundleDeps {
  readonly edgeId: string;
  readonly pages: Pick<LocalBox, 'status' | 'metrics' | 'deadLetters'>;
  readonly configuration: Pick<BoxConfiguration, 'current'>;
  readonly logs: LocalBox['logs'];
  readonly clock: Pick<Clock, 'wallMs'>;
}

const MOST_LINES = 2000;

/**
 * A gzipped tar archive of what support needs. Every part passes the redactor; what cannot be read leaves its reason
 * in its place. Messages that are not sent again tell of what was seen, and are not in it.
 */
export async function supportBundle({
  edgeId,
  pages,
  configuration,
  logs,
  clock,
}: SupportBundleDeps): Promise<{ name: string; body: Readable }> {
  const at = new Date(clock.wallMs());
  const stamp = at.toISOString().replaceAll(/[:.]/g, '-');
  const folder = `apex-edge-${edgeId}-${stamp}`;
  const entries: TarEntry[] = [];
  const files: [string, () => Promise<string>][] = [
    ['status.json', async () => json(await pages.status())],
    ['metrics.txt', () => pages.metrics()],
    ['config.yaml', async () => (await configuration.current()).text],
    ['log.jsonl', async () => logs.newest(MOST_LINES, 'debug').map(line).join('\n')],
    ['machine.json', async () => json(await machine())],
  ];
  for (const [name, read] of files) {
    const text = await read().catch((error: unknown) => json(asApexError(error, 'INTERNAL')));
    const body = Buffer.from(redactText(text));
    entries.push({ header: { name: `${folder}/${name}`, size: body.byteLength, mtime: at }, body });
  }
  const body = Readable.from([await packTar(entries)]).pipe(createGzip());
  return { name: `${folder}.tar.gz`, body };
}

function json(value: unknown): string {
  return `${JSON.stringify(redact(value), null, 2)}\n`;
}

function line(value: unknown): string {
  return JSON.stringify(redact(value));
}

async function machine(): Promise<object> {
  const [model] = cpus();
  return {
    apex_edge: packageVersion(),
    node: process.version,
    arch: process.arch,
    kernel: release(),
    cpu: model?.model ?? null,
    cores: cpus().length,
    load: loadavg(),
    memory_bytes: { total: totalmem(), free: freemem() },
    os: await textOf('/etc/os-release'),
    l4t: await textOf('/etc/nv_tegra_release'),
    board: await textOf('/proc/device-tree/model'),
  };
}

/** Null where there is no such file: not every machine is a Jetson. */
async function textOf(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).replaceAll('\0', '').trim();
  } catch {
    return null;
  }
}
