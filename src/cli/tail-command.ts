import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { formatEvent, tailEvents } from '../hub/tail/tail-client.ts';
import { ApexError } from '../system/errors.ts';
import { stopSignal } from './signals.ts';

interface TailOptions {
  hub: string;
  tokenFile?: string;
  types?: string[];
  cameras?: string[];
  after?: number;
  json?: true;
}

const list = (text: string): string[] => text.split(',');

export function tailCommand(): Command {
  return new Command('tail')
    .description(
      'show what arrives at a hub, live; the token comes from APEX_TOKEN or --token-file',
    )
    .requiredOption('--hub <url>', 'address of the hub, such as ws://hub.example:8080/ws')
    .option('--token-file <file>', 'file that holds the token')
    .option(
      '--types <list>',
      'only these message types, such as object_event,alert_triggered',
      list,
    )
    .option('--cameras <list>', 'only these cameras', list)
    .option('--after <event-id>', 'first everything stored after this event id; 0 for all', Number)
    .option('--json', 'one JSON object a line')
    .action(tail);
}

function token(options: TailOptions): string {
  if (options.tokenFile !== undefined) return readFileSync(options.tokenFile, 'utf8').trim();
  const fromEnvironment = process.env.APEX_TOKEN;
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  throw new ApexError('HUB_TOKEN_MISSING', 'no token was given for the hub');
}

async function tail(options: TailOptions): Promise<void> {
  const events = tailEvents({
    url: options.hub,
    token: token(options),
    signal: stopSignal(),
    ...(options.types && { types: options.types }),
    ...(options.cameras && { cameras: options.cameras }),
    ...(options.after !== undefined && { afterEventId: options.after }),
    onConnection: (state) => console.error(state),
  });
  for await (const event of events) {
    console.log(options.json ? JSON.stringify(event) : formatEvent(event));
  }
}
