import { Command } from 'commander';
import { fetchDeadLetters, fetchStatus } from '../api/control-client.ts';
import { deadLetterTable, queueLines } from '../api/queue-view.ts';
import { loadConfig } from '../config/load.ts';
import { configOption } from './options.ts';

interface QueueOptions {
  config: string;
  json?: true;
  deadLetters?: true;
}

export function queueCommand(): Command {
  return new Command('queue')
    .description('show what waits for the hub, what was lost or refused, and why nothing moves')
    .addOption(configOption())
    .option('--dead-letters', 'list the newest messages that are not sent again, with the reason')
    .option('--json', 'print everything as JSON')
    .action(async ({ config: file, json, deadLetters }: QueueOptions) => {
      const { data_dir } = loadConfig(file, process.env).config.edge;
      if (deadLetters) {
        const letters = await fetchDeadLetters(data_dir);
        console.log(json ? JSON.stringify(letters, null, 2) : deadLetterTable(letters).join('\n'));
        return;
      }
      const status = await fetchStatus(data_dir);
      const { queue, uplink } = status;
      console.log(
        json ? JSON.stringify({ queue, uplink }, null, 2) : queueLines(status).join('\n'),
      );
    });
}
