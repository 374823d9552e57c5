import { type ReactElement, useEffect, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface ChartProps {
  readonly title: string;
  readonly unit: string;
  /** Unix seconds. */
  readonly times: readonly number[];
  /** Null where nothing is known. */
  readonly values: readonly (number | null)[];
}

const HEIGHT = 140;

/** A number over time. The newest value stands beside it in words. */
export function Chart({ title, unit, times, values }: ChartProps): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const style = getComputedStyle(element);
    // As computed: a canvas knows no variables.
    const { color: colour, outlineColor: text } = style;
    const axis = {
      stroke: text,
      grid: { stroke: 'rgba(128,128,128,0.2)' },
      ticks: { show: false },
    };
    const made = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        cursor: { show: false },
        legend: { show: false },
        axes: [axis, { ...axis, size: 48 }],
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.15)] } },
        series: [
          {},
          {
            stroke: colour,
            width: 2,
            fill: colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.13)'),
            points: { show: false },
          },
        ],
      },
      [[], []],
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => {
    plot.current?.setData([[...times], [...values]]);
  }, [times, values]);
  const newest = values.findLast((value) => value !== null);
  return (
    <figure className="chart">
      <figcaption>
        {title} <strong>{newest == null ? '–' : `${Math.round(newest * 10) / 10} ${unit}`}</strong>
      </figcaption>
      <div ref={box} className="chart-box" aria-hidden="true" />
    </figure>
  );
}
