import { type EnhancedWebSocketConfig, useEnhancedWebSocket } from 'apex-edge/react';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { CameraAlerts } from './camera-alerts.tsx';
import type { PageConfig, Probe, View } from './probe.ts';

const probe: Probe = {
  events: [],
  subscriptions: 0,
  renders: 0,
  hook: null,
  change: () => undefined,
};
Object.assign(window, { probe });

function Recorder({ config }: { config: EnhancedWebSocketConfig }) {
  const hook = useEnhancedWebSocket(config);
  probe.hook = hook;
  probe.renders++;
  const { onMessage } = hook;
  useEffect(
    () =>
      onMessage('*', (message) => {
        if ('event_id' in message) probe.events.push(message.event_id);
        else if (message.type === 'subscription_success') probe.subscriptions++;
      }),
    [onMessage],
  );
  return null;
}

function Page({ initial }: { initial: View }) {
  const [view, setView] = useState(initial);
  probe.change = (change) => setView((before) => ({ ...before, ...change }));
  const { config, cameras, isRecording } = view;
  const { serverUrl, token = '' } = config;
  return (
    <>
      {cameras.map((cameraId) => (
        <CameraAlerts key={cameraId} serverUrl={serverUrl} token={token} cameraId={cameraId} />
      ))}
      {isRecording && <Recorder config={hookConfig(config)} />}
    </>
  );
}

function hookConfig({ serverUrl, token = '', tokens }: PageConfig): EnhancedWebSocketConfig {
  if (tokens === undefined) return { serverUrl, token };
  const getToken = async () => {
    const given = tokens.length > 1 ? tokens.shift() : tokens[0];
    if (typeof given !== 'string') throw new Error('nobody is logged in');
    return given;
  };
  return { serverUrl, getToken };
}

const root = document.getElementById('root');
if (root === null) throw new Error('no root');
createRoot(root).render(
  <StrictMode>
    <Page initial={JSON.parse(decodeURIComponent(location.hash.slice(1)))} />
  </StrictMode>,
);
