import { ApexError } from '../system/errors.ts';
import { toProblem } from './issue-problems.ts';
import type { LoadedConfig } from './load.ts';
import type { ConfigProblem } from './problem.ts';
import {
  isWorldReadable,
  resolveSecret,
  type SecretSource,
  secretFilePath,
  TLS_FILES,
  uplinkTls,
} from './secrets.ts';

/** Below this a token can be guessed from its digest, or by trying. */
const SHORTEST_GOOD_TOKEN = 16;

/**
 * Reads every secret of the configuration and says what is wrong with it: errors for files that cannot be read
 * (those of a camera carry its id), warnings for secrets that other users of the machine can read.
 *
 * Apart from `loadConfig`, because a file is also checked where its secrets are not.
 */
export function checkSecrets(loaded: LoadedConfig, env: NodeJS.ProcessEnv): ConfigProblem[] {
  const { config, originOf, sourcePath } = loaded;
  const isFileOpen = isWorldReadable(sourcePath);
  const warn = (key: string, message: string): ConfigProblem =>
    toProblem({ path: key.split('.'), message, severity: 'warning' }, originOf);

  const problems = secretSources(loaded).flatMap((source): ConfigProblem[] => {
    if (source.file !== undefined) return fileProblems(source, loaded, env);
    if (source.value === undefined) return [];
    const isInFile = originOf(source.key.split('.')).variable === null;
    const found =
      isInFile && isFileOpen ? [warn(source.key, openMessage(source.key, sourcePath))] : [];
    if (source.key.endsWith('token') && source.value.length < SHORTEST_GOOD_TOKEN)
      found.push(
        warn(source.key, `${source.key} is shorter than ${SHORTEST_GOOD_TOKEN} characters`),
      );
    return found;
  });
  for (const [id, { url = '' }] of Object.entries(config.cameras)) {
    const key = `cameras.${id}.url`;
    const isInFile = originOf(['cameras', id, 'url']).variable === null;
    if (isInFile && isFileOpen && /^[a-z]+:\/\/[^/?#]*:[^/?#]*@/i.test(url))
      problems.push(warn(key, openMessage(`the password in ${key}`, sourcePath)));
  }
  problems.push(...tlsProblems(loaded, env), ...peopleKeyProblems(loaded, env));
  const { url, token, token_file: tokenFile } = config.uplink;
  if (url !== undefined && (token ?? tokenFile) === undefined)
    problems.push(
      warn('uplink.url', 'uplink.url is set but no token: the hub will refuse this box'),
    );
  return problems;
}

function secretSources({ config }: LoadedConfig): SecretSource[] {
  const { cameras, uplink, hub } = config;
  return [
    ...Object.entries(cameras).map(([id, { password, password_file }]) => ({
      key: `cameras.${id}.password`,
      value: password,
      file: password_file,
    })),
    { key: 'uplink.token', value: uplink.token, file: uplink.token_file },
    ...hub.tokens.map(({ token, token_file }, index) => ({
      key: `hub.tokens.${index}.token`,
      value: token,
      file: token_file,
    })),
  ];
}

function fileProblems(
  source: SecretSource,
  { originOf }: LoadedConfig,
  env: NodeJS.ProcessEnv,
): ConfigProblem[] {
  const path = `${source.key}_file`.split('.');
  try {
    resolveSecret(source, env);
    const file = secretFilePath(source.key, source.file ?? '', env);
    if (!isWorldReadable(file)) return [];
    const message = openMessage(`${source.key}_file`, file);
    return [toProblem({ path, message, severity: 'warning' }, originOf)];
  } catch (error) {
    if (!(error instanceof ApexError)) throw error;
    return [toProblem({ path, message: error.message }, originOf)];
  }
}

/** Certificates may be read by everyone; the key may not. */
function tlsProblems(loaded: LoadedConfig, env: NodeJS.ProcessEnv): ConfigProblem[] {
  const { tls } = loaded.config.uplink;
  const problems = Object.values(TLS_FILES).flatMap((name): ConfigProblem[] => {
    const only = { ...loaded.config.uplink, tls: { [name]: tls[name], pin_sha256: [] } };
    try {
      uplinkTls({ ...loaded.config, uplink: only }, env);
      return [];
    } catch (error) {
      if (!(error instanceof ApexError)) throw error;
      return [
        toProblem({ path: ['uplink', 'tls', name], message: error.message }, loaded.originOf),
      ];
    }
  });
  if (problems.length > 0 || tls.key_file === undefined) return problems;
  const file = secretFilePath('uplink.tls.key', tls.key_file, env);
  if (!isWorldReadable(file)) return [];
  const message = openMessage('uplink.tls.key_file', file);
  const path = ['uplink', 'tls', 'key_file'];
  return [toProblem({ path, message, severity: 'warning' }, loaded.originOf)];
}

/** The key may not be there yet: it is made with the first person. */
function peopleKeyProblems(loaded: LoadedConfig, env: NodeJS.ProcessEnv): ConfigProblem[] {
  const { key_file: file } = loaded.config.people;
  if (file === undefined) return [];
  const path = ['people', 'key_file'];
  try {
    const at = secretFilePath('people.key', file, env);
    if (!isWorldReadable(at)) return [];
    const message = openMessage('people.key_file', at);
    return [toProblem({ path, message, severity: 'warning' }, loaded.originOf)];
  } catch (error) {
    if (!(error instanceof ApexError)) throw error;
    return [toProblem({ path, message: error.message }, loaded.originOf)];
  }
}

function openMessage(what: string, file: string): string {
  return `${what} can be read by every user of this machine; chmod o-r ${file}`;
}
