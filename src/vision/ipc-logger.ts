import type { Logger } from '../system/logger.ts';
import { redact, redactText } from '../system/redact.ts';
import type { FromVision } from './contract.ts';

/** Lets the daemon write the log lines of this process. Secrets are taken out before they leave it. */
export function ipcLogger(
  send: (message: FromVision) => void,
  inherited: Record<string, unknown> = {},
): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, event: string) => {
    const own = fields instanceof Error ? { err: fields } : fields;
    const safe = redact({ ...inherited, ...own }) as object;
    send({ kind: 'log', level, event: redactText(event), fields: safe });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => ipcLogger(send, { ...inherited, ...fields }),
  };
}
