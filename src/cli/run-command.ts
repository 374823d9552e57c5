import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { EdgeDaemon } from '../edge/daemon.ts';
import { LogRing } from '../system/log-ring.ts';
import { createLogger } from '../system/logging.ts';
import { configOption } from './options.ts';
import { aborted, stopSignal } from './signals.ts';

const STOP_LIMIT_MS = 4900;

export function runCommand(): Command {
  return new Command('run')
    .description('run the daemon: watch the cameras, keep the events, deliver them to the hub')
    .addOption(configOption())
    .action(async (options: { config: string }) => {
      const stop = stopSignal();
      const loaded = loadConfig(options.config, process.env);
      const logs = new LogRing();
      const log = createLogger({ level: loaded.config.log.level, name: 'edge', ring: logs });
      const daemon = await EdgeDaemon.start({ loaded, env: process.env, log, logs });
      await aborted(stop);
      // Whoever asked waits no longer than this; what is stored is safe, and the kernel ends the children.
      const deadline = setTimeout(() => {
        log.error({ after_ms: STOP_LIMIT_MS }, 'stopping took too long; ending now');
        process.exit(1);
      }, STOP_LIMIT_MS);
      await daemon.stop();
      clearTimeout(deadline);
    });
}
