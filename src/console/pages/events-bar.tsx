import type { ReactElement } from 'react';
import { useStatus } from '../api/queries.ts';
import type { ChosenFilter, FilterKey } from './events-filter.ts';

export interface EventsBarProps {
  readonly filter: ChosenFilter;
  readonly onChange: (filter: ChosenFilter) => void;
}

const LABELS = ['person', 'car', 'bicycle', 'motorcycle', 'bus', 'truck', 'dog', 'cat'];

/** Which events are looked at. */
export function EventsBar({ filter, onChange }: EventsBarProps): ReactElement {
  const { data } = useStatus();
  const cameras = data?.cameras.map(({ camera_id: id }) => id) ?? [];
  const zones = data?.cameras.flatMap((camera) => Object.keys(camera.zones)) ?? [];
  const put = (key: FilterKey, value: string): void => onChange({ ...filter, [key]: value });
  const chosen = (key: FilterKey) => ({
    value: filter[key] ?? '',
    onChange: (value: string) => put(key, value),
  });
  return (
    <div className="page-head">
      <h1>Events</h1>
      <search className="filters" aria-label="Filters">
        <Choice name="Camera" options={cameras} {...chosen('cameras')} />
        <Choice name="Object" options={LABELS} {...chosen('labels')} />
        <Choice name="Zone" options={[...new Set(zones)]} {...chosen('zones')} />
        <Choice
          name="Severity"
          options={['critical', 'high', 'medium', 'low']}
          {...chosen('severities')}
        />
        <Choice
          name="Reviewed"
          options={['true', 'false']}
          words={['yes', 'no']}
          {...chosen('reviewed')}
        />
        <Choice
          name="Alert"
          options={['true', 'false']}
          words={['yes', 'no']}
          {...chosen('has_alert')}
        />
        <Day name="From" {...chosen('after')} />
        <Day name="To" {...chosen('before')} />
        {Object.keys(filter).length > 0 && (
          <button type="button" className="button button-quiet" onClick={() => onChange({})}>
            Clear
          </button>
        )}
      </search>
    </div>
  );
}

interface Chosen {
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function Choice({
  name,
  options,
  words = options,
  value,
  onChange,
}: Chosen & {
  readonly options: readonly string[];
  readonly words?: readonly string[];
}): ReactElement {
  return (
    <label className="choice">
      <span>{name}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">any</option>
        {options.map((option, index) => (
          <option key={option} value={option}>
            {words[index]}
          </option>
        ))}
      </select>
    </label>
  );
}

function Day({ name, value, onChange }: Chosen): ReactElement {
  return (
    <label className="choice">
      <span>{name}</span>
      <input type="date" value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}
