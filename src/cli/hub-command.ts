import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { checkSecrets } from '../config/secret-problems.ts';
import { hubTls, hubTokens } from '../config/secrets.ts';
import type { ListenerTls } from '../hub/door/listener-tls.ts';
import { Hub } from '../hub/hub.ts';
import { DEFAULT_HUB_LIMITS } from '../hub/limits.ts';
import { systemClock } from '../system/clock.ts';
import { createLogger } from '../system/logging.ts';
import { createServiceNotifier } from '../system/systemd.ts';
import { configOption } from './options.ts';
import { aborted, stopSignal } from './signals.ts';

export function hubCommand(): Command {
  return new Command('hub')
    .description('run the upstream server that edges deliver to and viewers subscribe at')
    .addOption(configOption())
    .action(async (options: { config: string }) => {
      const stop = stopSignal();
      const loaded = loadConfig(options.config, process.env);
      const { config, problems } = loaded;
      const log = createLogger({ level: config.log.level, name: 'hub' });
      for (const problem of [...problems, ...checkSecrets(loaded, process.env)]) {
        log.warn({ problem: formatProblem(problem, options.config) }, 'configuration problem');
      }
      const service = createServiceNotifier({ env: process.env, log });
      const hub = await Hub.start({
        host: config.hub.host,
        port: config.hub.port,
        dataDir: config.hub.data_dir,
        tokens: hubTokens(config, process.env),
        tls: listenerTls(config),
        isPlaintextAllowed: config.hub.insecure_plaintext,
        allowedOrigins: config.hub.allowed_origins,
        limits: {
          ...DEFAULT_HUB_LIMITS,
          messagesPerS: config.hub.limits.messages_per_s,
          burstMessages: config.hub.limits.burst_messages,
          unidentified: config.hub.limits.unidentified,
          unidentifiedPerAddress: config.hub.limits.unidentified_per_address,
          sessionsPerToken: config.hub.limits.sessions_per_token,
          streamRequestTimeoutMs: config.hub.limits.stream_request_timeout_s * 1000,
        },
        retention: {
          maxAgeDays: config.hub.retention.max_age_days,
          alertsMaxAgeDays: config.hub.retention.alerts_max_age_days,
          maxBytes: config.hub.retention.max_bytes_mb * 1024 * 1024,
        },
        http: { isMetricsOpen: config.hub.metrics.open },
        log,
        clock: systemClock,
        random: Math.random,
      });
      service.ready();
      await aborted(stop);
      const told = service.stopping();
      await hub.stop();
      await told;
    });
}

function listenerTls(config: Config): ListenerTls | undefined {
  const { cert_file: file, client_certificates: clientCertificates } = config.hub.tls;
  if (file === undefined) return undefined;
  return { clientCertificates, read: () => hubTls(config, process.env) };
}
