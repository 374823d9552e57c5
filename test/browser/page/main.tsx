import { useEnhancedWebSocket } from 'apex-edge/react';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { CameraAlerts } from './camera-alerts.tsx';
import type { Probe } from './probe.ts';

const probe: Probe = {
  events: [],
  subscriptions: 0,
  renders: 0,
  hook: null,
  setComponents: () => undefined,
};
Object.assign(window, { probe });

function Recorder(props: { serverUrl: string; token: string }) {
  const hook = useEnhancedWebSocket(props);
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

function Page(props: { serverUrl: string; token: string }) {
  const [isShown, setShown] = useState(true);
  probe.setComponents = setShown;
  if (!isShown) return null;
  return (
    <>
      <CameraAlerts {...props} cameraId="door" />
      <CameraAlerts {...props} cameraId="yard" />
      <Recorder {...props} />
    </>
  );
}

const root = document.getElementById('root');
if (root === null) throw new Error('no root');
const config = JSON.parse(decodeURIComponent(location.hash.slice(1)));
createRoot(root).render(
  <StrictMode>
    <Page {...config} />
  </StrictMode>,
);
