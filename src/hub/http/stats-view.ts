import type { HubStats } from '../hub-stats.ts';
import type { ClientView } from '../session/session-registry.ts';
import { type FigureGroup, HUB_FIGURES } from './hub-figures.ts';

/** Body of GET /api/stats: the figures in their groups, then every client. */
export type StatsView = {
  readonly [Group in FigureGroup]: Readonly<Record<string, unknown>>;
} & { readonly version: string; readonly clients: readonly ClientStatsView[] };

interface ClientStatsView {
  readonly connection_id: string;
  readonly client_id: string;
  readonly client_type: string;
  readonly address: string;
  readonly protocol: 'current' | 'legacy';
  /** ISO 8601. */
  readonly connected_since: string;
  readonly last_seen: string;
  /** Delivered on this connection. */
  readonly messages: number;
  /** Messages that it may have in flight; null for a client without credit. */
  readonly credit: number | null;
  readonly buffered_bytes: number;
}

export function statsView(
  stats: HubStats,
  clients: readonly ClientView[],
  version: string,
): StatsView {
  const groups: Record<FigureGroup, Record<string, unknown>> = {
    server: {},
    store: {},
    connections: {},
    streams: {},
    ingest: {},
    fan_out: {},
  };
  for (const [key, { group, name }] of Object.entries(HUB_FIGURES))
    groups[group][name] = stats[key as keyof HubStats];
  return { version, ...groups, clients: clients.map(clientStats) };
}

function clientStats(client: ClientView): ClientStatsView {
  return {
    connection_id: client.connectionId,
    client_id: client.clientId,
    client_type: client.clientType,
    address: client.address,
    protocol: client.protocol,
    connected_since: new Date(client.connectedMs).toISOString(),
    last_seen: new Date(client.lastSeenMs).toISOString(),
    messages: client.messages,
    credit: client.credit,
    buffered_bytes: client.bufferedBytes,
  };
}
