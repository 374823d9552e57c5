import { LIMITS } from '../protocol/limits.ts';
import type { ClientType } from '../protocol/session.ts';

export interface WebSocketConfig {
  /** http(s) or ws(s). Without a path, the server's own (`/ws`). Empty: no connection. */
  readonly serverUrl: string;
  readonly autoReconnect: boolean;
  /** Attempts in a row that came to nothing before the client gives up. */
  readonly maxReconnectAttempts: number;
  /** Bound of the first wait, ms; doubles up to what the server advises. A wait is anywhere below its bound. */
  readonly reconnectDelay: number;
  /** ms; the server's own is kept to where that is shorter. */
  readonly heartbeatInterval: number;
  /** Travels in the first message, never in the address. */
  readonly token?: string | undefined;
  /** Asked on each connection instead of `token`, for tokens that expire. */
  readonly getToken?: (() => string | Promise<string>) | undefined;
  readonly clientType: Exclude<ClientType, 'ai_engine'>;
  /** Default: a new one for each connection of a page. Two connections of one id throw each other out. */
  readonly clientId?: string | undefined;
}

export type EnhancedWebSocketConfig = Partial<WebSocketConfig> & Pick<WebSocketConfig, 'serverUrl'>;

export const DEFAULT_WEBSOCKET_CONFIG: WebSocketConfig = {
  serverUrl: '',
  autoReconnect: true,
  maxReconnectAttempts: Number.POSITIVE_INFINITY,
  reconnectDelay: 500,
  heartbeatInterval: LIMITS.heartbeatMs,
  clientType: 'frontend',
};

export function completeConfig(config: EnhancedWebSocketConfig): WebSocketConfig {
  const given = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as Partial<WebSocketConfig>;
  return { ...DEFAULT_WEBSOCKET_CONFIG, ...given };
}

/** Components whose configurations have the same key share a connection. A `getToken` may be a new function each time. */
export function connectionKey(config: WebSocketConfig): string {
  const { getToken, token, ...others } = config;
  const plain = { ...others, maxReconnectAttempts: String(config.maxReconnectAttempts) };
  const entries = Object.entries(plain).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([entries, getToken === undefined ? (token ?? null) : ['asked']]);
}

/** The WebSocket address of a server. @throws Error on what is no address of a server, or has credentials in it */
export function webSocketUrl(serverUrl: string, parse: (text: string) => AddressParts): string {
  const url = parse(serverUrl);
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined) throw new Error(`not an address of a server: ${url.protocol}//`);
  if (url.username !== '' || url.password !== '')
    throw new Error('the address has a user name or password in it');
  const path = url.pathname === '/' ? '/ws' : url.pathname;
  return `${scheme}//${url.host}${path}${url.search}`;
}

interface AddressParts {
  readonly protocol: string;
  readonly host: string;
  readonly pathname: string;
  readonly search: string;
  readonly username: string;
  readonly password: string;
}

const SCHEMES: Readonly<Record<string, 'ws:' | 'wss:' | undefined>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};
