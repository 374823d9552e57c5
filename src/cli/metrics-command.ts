import { Command } from 'commander';
import { fetchMetrics } from '../api/control-client.ts';
import { loadConfig } from '../config/load.ts';
import { configOption } from './options.ts';

export function metricsCommand(): Command {
  return new Command('metrics')
    .description('print the metrics of the daemon on this machine in the Prometheus text format')
    .addOption(configOption())
    .action(async ({ config: file }: { config: string }) => {
      const { data_dir } = loadConfig(file, process.env).config.edge;
      process.stdout.write(await fetchMetrics(data_dir));
    });
}
