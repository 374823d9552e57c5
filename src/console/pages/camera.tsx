import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Camera } from '../../protocol/local-api/status.ts';
import { call } from '../api/client.ts';
import { useStatus } from '../api/queries.ts';
import { LiveView } from '../live/live-view.tsx';
import { State } from '../parts/badges.tsx';
import { Fact } from '../parts/facts.tsx';
import { Icon } from '../parts/icons.tsx';
import { useMay } from '../parts/session.ts';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { duration } from '../parts/time.tsx';

/** One camera, large, with everything that is known of it. */
export default function CameraPage({ id }: { readonly id: string }): ReactElement {
  const { data, error, refetch } = useStatus();
  const camera = data?.cameras.find(({ camera_id: own }) => own === id);
  if (error !== null) return <Failure error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Loading rows={6} />;
  if (camera === undefined) return <Empty title={`There is no camera ${id}`} />;
  return (
    <>
      <div className="page-head">
        <Link href="/" className="button button-quiet">
          <Icon name="back" /> All cameras
        </Link>
        <h1>{id}</h1>
        <State of={camera.state} />
        <Switch camera={camera} />
      </div>
      <div className="camera-page">
        <LiveView cameraId={id} size="large" />
        <Facts camera={camera} />
      </div>
    </>
  );
}

function Switch({ camera }: { readonly camera: Camera }): ReactElement | null {
  const queries = useQueryClient();
  const isStopped = camera.state === 'stopped';
  const change = useMutation({
    mutationFn: () =>
      call(isStopped ? 'POST /api/cameras/:camera_id/start' : 'POST /api/cameras/:camera_id/stop', {
        path: { camera_id: camera.camera_id },
      }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['status'] }),
  });
  if (!useMay('operator')) return null;
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={change.isPending}
        onClick={() => change.mutate()}
      >
        <Icon name={isStopped ? 'play' : 'stop'} /> {isStopped ? 'Start' : 'Stop'}
        {change.isPending && '…'}
      </button>
      {change.error !== null && <Failure error={change.error} />}
    </>
  );
}

function Facts({ camera }: { readonly camera: Camera }): ReactElement {
  const { stream, decoder, analysed, fault, zones, lines, change } = camera;
  return (
    <dl className="facts">
      {fault !== null && (
        <Fact name="What is wrong">
          {fault.message} <span className="quiet">{fault.remedy}</span>
        </Fact>
      )}
      <Fact name={camera.state}>for {duration(camera.since_s)}</Fact>
      <Fact name="Video">
        {stream === null ? 'not known yet' : `${stream.codec}, ${stream.width} × ${stream.height}`}
        {stream?.fps != null && `, ${stream.fps} fps`}
      </Fact>
      <Fact name="Decoder">
        {decoder?.decoder ?? 'not chosen yet'}
        {decoder?.refused.map((each) => (
          <span key={String(each.decoder)} className="quiet block">
            {String(each.decoder)}: {each.reason}
          </span>
        ))}
      </Fact>
      <Fact name="Analysed">
        {camera.fps.toFixed(1)} frames a second
        {analysed !== null && `, ${analysed.width} × ${analysed.height}`}
      </Fact>
      <Fact name="Frames">
        {camera.frames_analysed} analysed, {camera.frames_dropped} dropped, {camera.reconnects}{' '}
        reconnects
      </Fact>
      <Counts name="Zones now" counts={zones} />
      <Counts
        name="Lines crossed"
        counts={Object.fromEntries(
          Object.entries(lines).map(([line, { left, right }]) => [
            line,
            `${left} left, ${right} right`,
          ]),
        )}
      />
      {change !== null && <Fact name="Other than configured">{change}</Fact>}
    </dl>
  );
}

function Counts({
  name,
  counts,
}: {
  readonly name: string;
  readonly counts: Readonly<Record<string, number | string>>;
}): ReactElement | null {
  const entries = Object.entries(counts);
  if (entries.length === 0) return null;
  return <Fact name={name}>{entries.map(([key, count]) => `${key}: ${count}`).join('; ')}</Fact>;
}
