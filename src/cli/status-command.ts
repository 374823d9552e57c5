import { Command } from 'commander';
import { fetchStatus } from '../api/control-client.ts';
import { statusLines } from '../api/status-view.ts';
import { loadConfig } from '../config/load.ts';
import { configOption } from './options.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('show what the daemon on this machine does: cameras, detector, queue, uplink')
    .addOption(configOption())
    .option('--json', 'print everything as JSON')
    .action(async (options: { config: string; json?: true }) => {
      const { config } = loadConfig(options.config, process.env);
      const status = await fetchStatus(config.edge.data_dir);
      console.log(options.json ? JSON.stringify(status, null, 2) : statusLines(status).join('\n'));
    });
}
