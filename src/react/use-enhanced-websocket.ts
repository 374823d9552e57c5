import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { actionsOf, type ConnectionActions } from './actions.ts';
import { browserEnvironment } from './browser.ts';
import { completeConfig, connectionKey, type EnhancedWebSocketConfig } from './config.ts';
import { ConnectionUser } from './connection-user.ts';
import { SharedConnections } from './shared-connections.ts';
import { INITIAL_SNAPSHOT, type Snapshot } from './snapshot.ts';

export interface EnhancedWebSocket extends Snapshot, ConnectionActions {}

const connections = new SharedConnections(browserEnvironment);

/**
 * A component's part in the connection that all components with an equal configuration share. Handlers and cameras
 * belong to the component: they come back with a reconnection or another configuration, and go with the component.
 */
export function useEnhancedWebSocket(config: EnhancedWebSocketConfig): EnhancedWebSocket {
  const complete = completeConfig(config);
  const key = connectionKey(complete);
  const [user] = useState(() => new ConnectionUser(connections));
  const [actions] = useState(() => actionsOf(user, browserEnvironment.newId));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all of the configuration
  useEffect(() => user.attach(complete), [user, key]);
  useEffect(() => user.setGetToken(config.getToken), [user, config.getToken]);
  const snapshot = useSyncExternalStore(user.listen, user.snapshot, () => INITIAL_SNAPSHOT);
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}
