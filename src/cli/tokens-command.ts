import { Command, Option } from 'commander';
import { expiryOf } from '../config/expiry.ts';
import { loadConfig } from '../config/load.ts';
import type { NewToken, StoredToken } from '../hub/door/token-file.ts';
import { hasExpired } from '../hub/door/tokens.ts';
import { CLIENT_TYPES, type ClientType } from '../protocol/session.ts';
import { systemClock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { configOption } from './options.ts';
import { digest, newSecret, printList, timeOf, withTokenFile } from './token-list.ts';

interface CreateOptions {
  config: string;
  type: ClientType;
  camera: string[];
  send: string[];
  receive: string[];
  admin: boolean;
  expires?: string;
}

export function tokensCommand(): Command {
  return new Command('tokens')
    .description(
      'who may connect to the hub: its own list of tokens; a running hub follows it at once',
    )
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addCommand(generateCommand());
}

function createCommand(): Command {
  return new Command('create')
    .description('add a token for one client; the token is shown once, the hub keeps its digest')
    .argument('<name>', 'whose token it is; each name once')
    .addOption(
      new Option('--type <type>', 'kind of client').choices(CLIENT_TYPES).makeOptionMandatory(),
    )
    .addOption(listOption('--camera <id>', 'only this camera; may be repeated'))
    .addOption(listOption('--send <type>', 'only this type of request or message; may be repeated'))
    .addOption(listOption('--receive <type>', 'only this type of message; may be repeated'))
    .option('--admin', 'may read statistics and change what concerns others', false)
    .option('--expires <when>', '90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z; never by default')
    .addOption(configOption())
    .action((name: string, options: CreateOptions) => {
      const secret = newSecret();
      const { config } = loadConfig(options.config, process.env);
      if (config.hub.tokens.some((entry) => entry.name === name))
        throw new ApexError(
          'HUB_TOKEN_NAME',
          `hub.tokens of ${options.config} has a token ${name}`,
        );
      const token = tokenOf(name, options, digest(secret));
      withTokenFile(config.hub.data_dir, (file) => file.add(token));
      console.log(secret);
      console.error(`This is the token of ${name}: give it to the client. It is not shown again.`);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description("the tokens of the hub's list, without the secrets")
    .option('--json', 'for programs', false)
    .addOption(configOption())
    .action(({ config: path, json }: { config: string; json: boolean }) => {
      const { config } = loadConfig(path, process.env);
      const tokens = withTokenFile(config.hub.data_dir, (file) => file.list());
      const nowMs = systemClock.wallMs();
      printList(tokens, {
        isJson: json,
        shown: (token) => shown(token, nowMs),
        line: (token) => line(token, nowMs),
      });
    });
}

function revokeCommand(): Command {
  return new Command('revoke')
    .description('end a token; its open connections are closed')
    .argument('<name>')
    .addOption(configOption())
    .action((name: string, options: { config: string }) => {
      const { config } = loadConfig(options.config, process.env);
      withTokenFile(config.hub.data_dir, (file) => file.revoke(name, systemClock.wallMs()));
      console.log(`${name} is revoked`);
    });
}

function generateCommand(): Command {
  return new Command('generate')
    .description("make a token for hub.tokens of the hub's file; it is stored nowhere")
    .action(() => {
      const token = newSecret();
      console.log(`token (give it to the client, keep it secret):   ${token}`);
      console.log(`token_sha256 (for hub.tokens in the hub's file): ${digest(token)}`);
    });
}

function listOption(flags: string, description: string): Option {
  return new Option(flags, description)
    .default(['*'], 'all')
    .argParser((value: string, previous: string[]) =>
      previous.includes('*') ? [value] : [...previous, value],
    );
}

function tokenOf(name: string, options: CreateOptions, sha256: string): NewToken {
  const { type, camera: cameras, send, receive, admin, expires } = options;
  if (name.length === 0 || name.length > 63)
    throw new ApexError('HUB_TOKEN_OPTION', 'a name has 1 to 63 characters');
  const createdMs = systemClock.wallMs();
  const expiresMs = expires === undefined ? undefined : expiryOf(expires, createdMs);
  if (expiresMs === null)
    throw new ApexError('HUB_TOKEN_OPTION', `--expires ${expires} is no time to come`);
  return { name, type, sha256, scopes: { cameras, send, receive, admin }, createdMs, expiresMs };
}

type State = 'in force' | 'expired' | 'revoked';

function stateOf(token: StoredToken, nowMs: number): State {
  if (token.revokedMs !== undefined) return 'revoked';
  return hasExpired(token, nowMs) ? 'expired' : 'in force';
}

function shown(token: StoredToken, nowMs: number) {
  const { name, type, scopes, createdMs, expiresMs, lastUsedMs, revokedMs } = token;
  return {
    name,
    type,
    state: stateOf(token, nowMs),
    scopes,
    created: timeOf(createdMs),
    expires: timeOf(expiresMs),
    last_used: timeOf(lastUsedMs),
    revoked: timeOf(revokedMs),
  };
}

function line(token: StoredToken, nowMs: number): string {
  const { name, type, scopes, expiresMs, lastUsedMs } = token;
  const { cameras, send, receive, admin } = scopes;
  const limits = Object.entries({ cameras, send, receive })
    .filter(([, list]) => !list.includes('*'))
    .map(([scope, list]) => `${scope}: ${list.join(',')}`);
  return [
    name.padEnd(24),
    type.padEnd(12),
    stateOf(token, nowMs).padEnd(9),
    `expires ${timeOf(expiresMs) ?? 'never'}`,
    `last used ${timeOf(lastUsedMs) ?? 'never'}`,
    ...(admin ? ['admin'] : []),
    ...limits,
  ].join('  ');
}
