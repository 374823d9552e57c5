import { homedir } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';

export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file')
    .env('APEX_CONFIG')
    .default('/etc/apex-edge/config.yaml');
}

/** Where a person's own commands keep models; the daemon's folder is `models.dir` of its configuration. */
export function defaultModelsDir(): string {
  return (
    process.env.APEX_MODELS_DIR ??
    (process.getuid?.() === 0
      ? '/var/lib/apex-edge/models'
      : join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'apex-edge/models'))
  );
}
