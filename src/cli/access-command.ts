import { Command, Option } from 'commander';
import { camerasOf, roleOf, scopesOf } from '../api/access/visitor.ts';
import { expiryOf } from '../config/expiry.ts';
import { loadConfig } from '../config/load.ts';
import type { StoredToken, TokenFile } from '../hub/door/token-file.ts';
import { hasExpired } from '../hub/door/tokens.ts';
import { ROLES, type Role } from '../protocol/local-api/route.ts';
import { systemClock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { configOption } from './options.ts';
import { digest, newSecret, printList, timeOf, withTokenFile } from './token-list.ts';

interface CreateOptions {
  config: string;
  role: Role;
  camera: string[];
  expires?: string;
}

export function accessCommand(): Command {
  return new Command('access')
    .description(
      'who may use the console and the API of this box; a running daemon follows it at once',
    )
    .addCommand(initCommand())
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

function initCommand(): Command {
  return new Command('init')
    .description('make the first token, of an admin, where there is none yet; it is shown once')
    .addOption(configOption())
    .action(({ config: path }: { config: string }) => {
      const { config } = loadConfig(path, process.env);
      withTokenFile(config.edge.data_dir, (file) => {
        const nowMs = systemClock.wallMs();
        const admin = file
          .list()
          .find((token) => isInForce(token, nowMs) && roleOf(token) === 'admin');
        if (admin === undefined) show('admin', issue(file, 'admin', { role: 'admin', camera: [] }));
        else
          console.error(
            `${admin.name} is an admin already; \`apex-edge access create\` makes more.`,
          );
      });
    });
}

function createCommand(): Command {
  return new Command('create')
    .description(
      'add a token for one person or program; it is shown once, the box keeps its digest',
    )
    .argument('<name>', 'whose token it is; each name once')
    .addOption(
      new Option('--role <role>', 'viewer looks, operator reviews and enrols, admin sets up')
        .choices(ROLES)
        .default('viewer'),
    )
    .addOption(
      new Option('--camera <id>', 'only this camera; may be repeated')
        .default([], 'all')
        .argParser((value: string, previous: string[]) => [...previous, value]),
    )
    .option('--expires <when>', '90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z; never by default')
    .addOption(configOption())
    .action((name: string, options: CreateOptions) => {
      const { config } = loadConfig(options.config, process.env);
      withTokenFile(config.edge.data_dir, (file) => show(name, issue(file, name, options)));
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('the tokens of this box, without the secrets')
    .option('--json', 'for programs', false)
    .addOption(configOption())
    .action(({ config: path, json }: { config: string; json: boolean }) => {
      const { config } = loadConfig(path, process.env);
      const tokens = withTokenFile(config.edge.data_dir, (file) => file.list());
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
    .description('end a token with its sessions and open connections')
    .argument('<name>')
    .addOption(configOption())
    .action((name: string, { config: path }: { config: string }) => {
      const { config } = loadConfig(path, process.env);
      withTokenFile(config.edge.data_dir, (file) => file.revoke(name, systemClock.wallMs()));
      console.log(`${name} is revoked`);
    });
}

/** @returns the secret */
function issue(
  file: TokenFile,
  name: string,
  { role, camera, expires }: Omit<CreateOptions, 'config'>,
): string {
  if (name.length === 0 || name.length > 63)
    throw new ApexError('HUB_TOKEN_OPTION', 'a name has 1 to 63 characters');
  if (role === 'admin' && camera.length > 0)
    throw new ApexError('HUB_TOKEN_OPTION', 'an admin is for all cameras');
  const createdMs = Math.round(systemClock.wallMs());
  const expiresMs = expires === undefined ? undefined : expiryOf(expires, createdMs);
  if (expiresMs === null)
    throw new ApexError('HUB_TOKEN_OPTION', `--expires ${expires} is no time to come`);
  const secret = newSecret();
  const sha256 = digest(secret);
  const scopes = scopesOf(role, camera.length === 0 ? null : camera);
  file.add({ name, type: 'frontend', sha256, scopes, createdMs, expiresMs });
  return secret;
}

function show(name: string, secret: string): void {
  console.log(secret);
  console.error(`This is the token of ${name}, to log in to the console. It is not shown again.`);
}

function isInForce(token: StoredToken, nowMs: number): boolean {
  return token.revokedMs === undefined && !hasExpired(token, nowMs);
}

function shown(token: StoredToken, nowMs: number) {
  const { name, createdMs, expiresMs, lastUsedMs, revokedMs } = token;
  return {
    name,
    role: roleOf(token),
    cameras: camerasOf(token),
    is_in_force: isInForce(token, nowMs),
    created: timeOf(createdMs),
    expires: timeOf(expiresMs),
    last_used: timeOf(lastUsedMs),
    revoked: timeOf(revokedMs),
  };
}

function line(token: StoredToken, nowMs: number): string {
  const { name, role, cameras, is_in_force, expires, last_used, revoked } = shown(token, nowMs);
  const state = is_in_force ? 'in force' : revoked === null ? 'expired' : 'revoked';
  return [
    name.padEnd(24),
    role.padEnd(9),
    state.padEnd(9),
    `expires ${expires ?? 'never'}`,
    `last used ${last_used ?? 'never'}`,
    ...(cameras === null ? [] : [`cameras: ${cameras.join(',')}`]),
  ].join('  ');
}
