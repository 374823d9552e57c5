import type { HubStats } from '../hub-stats.ts';

/** Body of GET /api/health. Clients of the original server know this form: nothing may come to it. */
export interface Health {
  status: 'Server is running';
  websocket: {
    enhanced_server: true;
    connected_clients: number;
    messages_processed: number;
    ai_engine_connected: boolean;
    /** Seconds. */
    uptime: number;
  };
  version: string;
}

export function healthOf(
  { clients, messagesStored, uptimeS }: Pick<HubStats, 'clients' | 'messagesStored' | 'uptimeS'>,
  version: string,
): Health {
  return {
    status: 'Server is running',
    websocket: {
      enhanced_server: true,
      connected_clients: Object.values(clients).reduce((sum, count) => sum + count, 0),
      messages_processed: messagesStored,
      ai_engine_connected: clients.ai_engine > 0,
      uptime: uptimeS,
    },
    version,
  };
}
