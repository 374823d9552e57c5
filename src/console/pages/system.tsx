import { type ReactElement, type ReactNode, useEffect, useMemo, useState } from 'react';
import type { Status } from '../../protocol/local-api/status.ts';
import { useStatus } from '../api/queries.ts';
import { useLive } from '../live/live-provider.tsx';
import { Severity, State } from '../parts/badges.tsx';
import { Chart } from '../parts/chart.tsx';
import { Fact } from '../parts/facts.tsx';
import { useMay } from '../parts/session.ts';
import { Failure, Loading } from '../parts/states.tsx';
import { bytes, duration, Moment } from '../parts/time.tsx';
import { type Sample, sampleOf, withSample } from './history-ring.ts';
import { AdminParts } from './system-admin.tsx';

/** How the box does. */
export default function SystemPage(): ReactElement {
  const { data, error, refetch, dataUpdatedAt } = useStatus();
  const { latencyMs } = useLive();
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const isAdmin = useMay('admin');
  useEffect(() => {
    if (data !== undefined)
      setSamples((before) => withSample(before, sampleOf(data, latencyMs, dataUpdatedAt)));
  }, [data, dataUpdatedAt, latencyMs]);
  return (
    <>
      <h1>System</h1>
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Loading rows={8} />}
      {data !== undefined && (
        <>
          <Conditions status={data} />
          <Charts samples={samples} />
          <div className="cards">
            <Engine status={data} />
            <Uplink status={data} />
            <Kept status={data} />
            <Versions status={data} />
          </div>
          {isAdmin && <AdminParts />}
        </>
      )}
    </>
  );
}

function Conditions({ status }: { readonly status: Status }): ReactElement | null {
  const { conditions, config_problems: problems } = status;
  if (conditions.length + problems.length === 0) return null;
  return (
    <ul className="conditions" aria-label="What is not as it should be">
      {conditions.map(({ type, severity, camera_ids: cameras, why, since_s: since }) => (
        <li key={`${type} ${cameras.join()} ${why}`}>
          <Severity of={severity} /> {cameras.length > 0 && `${cameras.join(', ')}: `}
          {why} <span className="quiet">for {duration(since)}</span>
        </li>
      ))}
      {problems.map((problem) => (
        <li key={problem}>Configuration: {problem}</li>
      ))}
    </ul>
  );
}

function Charts({ samples }: { readonly samples: readonly Sample[] }): ReactElement {
  const times = useMemo(() => samples.map(({ at }) => at), [samples]);
  const series = (key: 'queued' | 'fps' | 'latencyMs') => samples.map((sample) => sample[key]);
  return (
    <div className="charts">
      <Chart title="Waiting for the hub" unit="messages" times={times} values={series('queued')} />
      <Chart title="Frames analysed a second" unit="" times={times} values={series('fps')} />
      <Chart title="To the box and back" unit="ms" times={times} values={series('latencyMs')} />
    </div>
  );
}

function Engine({ status: { detector, faces } }: { readonly status: Status }): ReactElement {
  const { provider } = detector;
  return (
    <Card title="Detector">
      <Fact name={detector.model}>
        <State of={detector.state} />
      </Fact>
      <Fact name="Runs on">{provider === null ? 'nothing yet' : provider.provider}</Fact>
      {provider !== null && <Fact name="A frame takes">{provider.inferenceMs.toFixed(1)} ms</Fact>}
      {provider?.refused.map((each) => (
        <Fact key={String(each.provider)} name={`Not ${String(each.provider)}`}>
          <span className="quiet">{each.reason}</span>
        </Fact>
      ))}
      <Fact name="Restarts">{detector.restarts}</Fact>
      {faces !== null && (
        <Fact name="Faces">
          {faces.fault === null ? `${faces.people ?? 0} people known` : faces.fault.message}
        </Fact>
      )}
    </Card>
  );
}

function Uplink({ status: { uplink, queue } }: { readonly status: Status }): ReactElement {
  return (
    <Card title="Hub">
      <Fact name={uplink.url ?? 'no hub is configured'}>
        <State of={uplink.state} />
      </Fact>
      <Fact name="In this state">{duration(uplink.since_s)}</Fact>
      {uplink.error !== null && (
        <Fact name="What is wrong">
          {uplink.error.message} <span className="quiet">{uplink.error.remedy}</span>
        </Fact>
      )}
      <Fact name="Waiting">
        {queue.depth} messages, {bytes(queue.disk.used_bytes)} of {bytes(queue.disk.budget_bytes)}
      </Fact>
      {queue.lanes.map(({ lane, depth, oldest_s: oldest, evicted }) => (
        <Fact key={lane} name={`Lane ${lane}`}>
          {depth} waiting
          {oldest !== null && `, the oldest for ${duration(oldest)}`}
          {evicted > 0 && `, ${evicted} given up and declared`}
        </Fact>
      ))}
      {queue.dead_letters > 0 && <Fact name="Not sent again">{queue.dead_letters}</Fact>}
      {queue.mode === 'memory' && (
        <Fact name="Disk">cannot be written: what waits is in memory</Fact>
      )}
    </Card>
  );
}

function Kept({ status: { journal, evidence, queue } }: { readonly status: Status }): ReactElement {
  return (
    <Card title="Kept on this box">
      <Fact name="Events">{journal.events ?? '–'}</Fact>
      <Fact name="Alerts">
        {journal.alerts ?? '–'}
        {journal.open_alerts !== null && `, ${journal.open_alerts} not acknowledged`}
      </Fact>
      {journal.oldest !== null && (
        <Fact name="Since">
          <Moment ms={journal.oldest} />
        </Fact>
      )}
      <Fact name="Journal">
        {bytes(journal.bytes)} of {bytes(journal.budget_bytes)}
      </Fact>
      {Object.entries(evidence).map(([kind, { bytes: size, evicted }]) => (
        <Fact key={kind} name={`${kind}s`}>
          {bytes(size)}
          {evicted > 0 && `, ${evicted} given up for newer ones`}
        </Fact>
      ))}
      <Fact name="Free on the disk">
        {queue.disk.free_bytes === null ? 'not known' : bytes(queue.disk.free_bytes)}
      </Fact>
    </Card>
  );
}

function Versions({ status }: { readonly status: Status }): ReactElement {
  return (
    <Card title="This box">
      <Fact name="Name">{status.edge_id}</Fact>
      <Fact name="apex-edge">{status.version}</Fact>
      <Fact name="Running">{duration(status.uptime_s)}</Fact>
      <Fact name="Configuration">
        {status.config_problems.length === 0 ? 'no problems' : 'see above'}
      </Fact>
    </Card>
  );
}

function Card({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <section className="card">
      <h2>{title}</h2>
      <dl>{children}</dl>
    </section>
  );
}
