import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Camera } from '../../protocol/local-api/status.ts';
import { useStatus } from '../api/queries.ts';
import { LiveView } from '../live/live-view.tsx';
import { State } from '../parts/badges.tsx';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { duration } from '../parts/time.tsx';

/** All cameras as they are now. */
export default function LivePage(): ReactElement {
  const { data, error, refetch } = useStatus();
  return (
    <>
      <h1>Live</h1>
      {data === undefined && error === null && <Loading rows={6} />}
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data?.detector.is_test_detector === true && (
        <p className="notice">
          The built-in test detector runs on a generated scene: nothing shown here is a real object.
        </p>
      )}
      {data?.cameras.length === 0 && (
        <Empty title="No cameras">
          Add them to the section <code>cameras</code> of the configuration file.
        </Empty>
      )}
      <div className="grid">
        {data?.cameras.map((camera) => (
          <Tile key={camera.camera_id} camera={camera} />
        ))}
      </div>
    </>
  );
}

function Tile({ camera }: { readonly camera: Camera }): ReactElement {
  const { camera_id: id, state, fps, objects, fault } = camera;
  const inView = Object.entries(objects).map(([label, count]) => `${count} ${label}`);
  return (
    <article className="tile" aria-label={id}>
      <LiveView cameraId={id} size="small" />
      <div className="tile-foot">
        <h2>
          <Link href={`/live/${encodeURIComponent(id)}`}>{id}</Link>
        </h2>
        <State of={state} />
        <span className="quiet">
          {state === 'streaming' ? `${fps.toFixed(1)} fps` : `for ${duration(camera.since_s)}`}
        </span>
        <span className="tile-objects">{inView.join(', ') || 'nothing in view'}</span>
      </div>
      {fault !== null && (
        <p className="tile-fault">
          {fault.message} <span className="quiet">{fault.remedy}</span>
        </p>
      )}
    </article>
  );
}
