import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Scopes } from '../protocol/scopes.ts';
import { ApexError } from '../system/errors.ts';
import { registerSecret } from '../system/redact.ts';
import { instantOf } from './expiry.ts';
import type { CameraConfig, Config } from './schema.ts';

/** Where a secret comes from: the value itself, or a file that holds it. */
export interface SecretSource {
  /** The key to name in errors: `cameras.front.password`. */
  key: string;
  value: string | undefined;
  file: string | undefined;
}

/**
 * The secret, registered with the redactor; null when no source is given. One line break at the end of a file
 * does not belong to it.
 * @throws ApexError `CONFIG_SECRET_UNREADABLE`
 */
export function resolveSecret(source: SecretSource, env: NodeJS.ProcessEnv): string | null {
  const secret = source.file === undefined ? source.value : readSecretFile(source, env);
  if (secret === undefined) return null;
  registerSecret(secret);
  return secret;
}

/**
 * The file's absolute path: a bare name is a credential that systemd passed on (`LoadCredential=`).
 * @throws ApexError `CONFIG_SECRET_UNREADABLE` for a bare name outside of systemd
 */
export function secretFilePath(key: string, file: string, env: NodeJS.ProcessEnv): string {
  if (isAbsolute(file)) return file;
  if (env.CREDENTIALS_DIRECTORY) return join(env.CREDENTIALS_DIRECTORY, file);
  throw new ApexError(
    'CONFIG_SECRET_UNREADABLE',
    `${key}_file names the systemd credential ${JSON.stringify(file)}, but systemd passed on none ` +
      '(CREDENTIALS_DIRECTORY is not set)',
  );
}

function readSecretFile({ key, file = '' }: SecretSource, env: NodeJS.ProcessEnv): string {
  const path = secretFilePath(key, file, env);
  const secret = readText(key, path).replace(/\r?\n$/, '');
  if (secret === '' || /\p{Cc}/u.test(secret)) {
    const fault = secret === '' ? 'is empty' : 'holds more than one line, or control characters';
    throw new ApexError('CONFIG_SECRET_UNREADABLE', `${key}_file: ${path} ${fault}`);
  }
  return secret;
}

function readText(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason =
      (code === 'ENOENT' && 'is not there') ||
      (code === 'EACCES' && 'may not be read by this user') ||
      `cannot be read (${code})`;
    const message = `${key}_file: ${path} ${reason}`;
    throw new ApexError('CONFIG_SECRET_UNREADABLE', message, { cause });
  }
}

/** Whether every user of the machine may read the file; false where it is not there. */
export function isWorldReadable(path: string): boolean {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o004) !== 0;
}

/**
 * A stream's address with user name and password in it, percent-encoded (RFC 3986, 3.2.1) whichever way the file
 * gives them. Secret: only for the decoder, never for a log or an argument list that other users can read.
 *
 * @throws ApexError `CONFIG_SECRET_UNREADABLE`, and `CONFIG_CAMERA_INVALID` for a camera without `url`
 */
export function cameraUrlWithCredentials(
  cameraId: string,
  camera: CameraConfig,
  env: NodeJS.ProcessEnv,
): string {
  const parts = /^([a-z]+:\/\/)(?:([^/?#]*)@)?(.*)$/i.exec(camera.url ?? '');
  if (parts === null)
    throw new ApexError('CONFIG_CAMERA_INVALID', `cameras.${cameraId} has no stream address`);
  const [, scheme = '', userInfo = '', rest = ''] = parts;
  const colon = userInfo.indexOf(':');
  const inUrl = {
    username: decoded(colon < 0 ? userInfo : userInfo.slice(0, colon)),
    password: colon < 0 ? null : decoded(userInfo.slice(colon + 1)),
  };
  if (inUrl.password !== null) registerSecret(inUrl.password);
  const username = camera.username ?? inUrl.username;
  if (username === '' && inUrl.password === null) return `${scheme}${rest}`;
  const source = {
    key: `cameras.${cameraId}.password`,
    value: camera.password,
    file: camera.password_file,
  };
  const password = resolveSecret(source, env) ?? inUrl.password ?? '';
  return `${scheme}${encoded(username)}:${encoded(password)}@${rest}`;
}

/** A stray `%` means that the text was never encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** encodeURIComponent leaves five characters alone that RFC 3986 reserves. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The token for the hub; null when none is configured.
 * @throws ApexError `CONFIG_SECRET_UNREADABLE`
 */
export function uplinkToken(config: Config, env: NodeJS.ProcessEnv): string | null {
  const { token, token_file } = config.uplink;
  return resolveSecret({ key: 'uplink.token', value: token, file: token_file }, env);
}

/** What `wss://` needs besides the system's own authorities, PEM. */
export interface UplinkTls {
  ca?: string;
  cert?: string;
  key?: string;
  /** Base64 SHA-256 digests of public keys. */
  pins: readonly string[];
}

/** Keys of `uplink.tls` that name a file. */
export const TLS_FILES = { ca: 'ca_file', cert: 'cert_file', key: 'key_file' } as const;

/**
 * Certificates and key for the hub, as their files are now.
 * @throws ApexError `CONFIG_SECRET_UNREADABLE`
 */
export function uplinkTls({ uplink }: Config, env: NodeJS.ProcessEnv): UplinkTls {
  const tls: UplinkTls = { pins: uplink.tls.pin_sha256 };
  for (const [part, name] of Object.entries(TLS_FILES)) {
    const file = uplink.tls[name];
    if (file === undefined) continue;
    const key = `uplink.tls.${part}`;
    tls[part as keyof typeof TLS_FILES] = readText(key, secretFilePath(key, file, env));
  }
  return tls;
}

/** Keys of `hub.tls` that name a file, and of `api.tls`. */
const HUB_TLS_FILES = { ca: 'client_ca_file', cert: 'cert_file', key: 'key_file' } as const;
const API_TLS_FILES = { cert: 'cert_file', key: 'key_file' } as const;

/**
 * Certificate and key of the hub, and the authorities of client certificates, as their files are now.
 * @throws ApexError `CONFIG_SECRET_UNREADABLE`
 */
export function hubTls({ hub }: Config, env: NodeJS.ProcessEnv): ListenerPem {
  return pemOf('hub.tls', hub.tls, HUB_TLS_FILES, env);
}

/**
 * Certificate and key of the local API, as their files are now.
 * @throws ApexError `CONFIG_SECRET_UNREADABLE`
 */
export function apiTls({ api }: Config, env: NodeJS.ProcessEnv): ListenerPem {
  return pemOf('api.tls', api.tls, API_TLS_FILES, env);
}

type ListenerPem = Omit<UplinkTls, 'pins'>;

function pemOf<Section>(
  section: string,
  files: Section,
  names: { readonly [Part in keyof ListenerPem]?: keyof Section },
  env: NodeJS.ProcessEnv,
): ListenerPem {
  const tls: ListenerPem = {};
  for (const [part, name] of Object.entries(names)) {
    const file = files[name as keyof Section] as string | undefined;
    if (file === undefined) continue;
    const key = `${section}.${part}`;
    tls[part as keyof ListenerPem] = readText(key, secretFilePath(key, file, env));
  }
  return tls;
}

export interface HubToken {
  name: string;
  type: Config['hub']['tokens'][number]['type'];
  /** SHA-256 of the token's UTF-8 bytes, in lower-case hexadecimal. */
  sha256: string;
  scopes: Scopes;
  /** Unix milliseconds. */
  expiresMs: number | undefined;
}

/**
 * Who may connect to the hub, by the digests of their tokens.
 * @throws ApexError `CONFIG_SECRET_UNREADABLE`, and `CONFIG_INVALID` when two clients share a token
 */
export function hubTokens(config: Config, env: NodeJS.ProcessEnv): HubToken[] {
  const tokens = config.hub.tokens.map((entry, index) => {
    const key = `hub.tokens.${index}.token`;
    const secret = resolveSecret({ key, value: entry.token, file: entry.token_file }, env);
    const sha256 = secret === null ? (entry.token_sha256 ?? '') : digest(secret);
    const { name, type, scopes, expires } = entry;
    const expiresMs = expires === undefined ? undefined : (instantOf(expires) ?? undefined);
    return { name, type, sha256, scopes, expiresMs };
  });
  for (const [index, { name, sha256 }] of tokens.entries()) {
    const other = tokens.slice(0, index).find((token) => token.sha256 === sha256);
    if (other !== undefined)
      throw new ApexError(
        'CONFIG_INVALID',
        `the hub tokens of ${other.name} and ${name} are the same`,
      );
  }
  return tokens;
}

function digest(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}
