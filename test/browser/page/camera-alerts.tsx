import { type EventMessage, MESSAGE_TYPES, useEnhancedWebSocket } from 'apex-edge/react';
import { useEffect, useState } from 'react';

type Alert = EventMessage<'alert_triggered'>;

export function CameraAlerts(props: { serverUrl: string; token: string; cameraId: string }) {
  const { serverUrl, token, cameraId } = props;
  const { status, error, stats, onMessage, subscribeToCamera, unsubscribeFromCamera } =
    useEnhancedWebSocket({ serverUrl, token });
  const [alerts, setAlerts] = useState<Alert[]>([]);

  useEffect(() => {
    subscribeToCamera(cameraId);
    return () => unsubscribeFromCamera(cameraId);
  }, [cameraId, subscribeToCamera, unsubscribeFromCamera]);

  useEffect(
    () =>
      onMessage(MESSAGE_TYPES.ALERT_TRIGGERED, (alert) => {
        if (alert.data.camera_id === cameraId) setAlerts((earlier) => [...earlier, alert]);
      }),
    [cameraId, onMessage],
  );

  return (
    <section data-camera={cameraId}>
      <p>
        {cameraId}: {status}
        {error && ` (${error.code}: ${error.message})`}
        {stats.latency !== null && `, ${stats.latency.toFixed(1)} ms`}
      </p>
      <ol>
        {alerts.map((alert) => (
          <li key={alert.event_id} data-event={alert.event_id}>
            {alert.data.severity}
          </li>
        ))}
      </ol>
    </section>
  );
}
