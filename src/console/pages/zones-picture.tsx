import {
  type Dispatch,
  type KeyboardEvent,
  type PointerEvent,
  type ReactElement,
  useRef,
  useState,
} from 'react';
import { fileAddress } from '../api/client.ts';
import type { EditAction, EditState, Place, Point } from './zones-edit.ts';

export interface ZonesPictureProps {
  readonly camera: string;
  readonly state: EditState;
  readonly step: Dispatch<EditAction>;
}

/** Of the coordinates that lie over the picture; shares of it times this. */
const SCALE = 1000;

/** The picture of a camera with its places, whose points can be moved. */
export function ZonesPicture({ camera, state, step }: ZonesPictureProps): ReactElement {
  const [ratio, setRatio] = useState(16 / 9);
  const [isMissing, setMissing] = useState(false);
  const [shownAt] = useState(() => Date.now());
  return (
    <div className="zones-picture" style={{ aspectRatio: ratio }}>
      {isMissing ? (
        <p className="state-text">
          The camera gives no picture now; places can be drawn all the same.
        </p>
      ) : (
        <img
          src={fileAddress(
            '/api/cameras/:camera_id/latest.jpg',
            { camera_id: camera },
            { max_width: 1280 },
          )}
          key={shownAt}
          alt={`What ${camera} sees now`}
          onLoad={({ currentTarget }) =>
            setRatio(currentTarget.naturalWidth / currentTarget.naturalHeight)
          }
          onError={() => setMissing(true)}
        />
      )}
      <svg viewBox={`0 0 ${SCALE} ${SCALE}`} preserveAspectRatio="none" aria-hidden="true">
        {state.places.map((place, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two may have one name while they are typed
          <Shape key={index} place={place} isSelected={index === state.selected} />
        ))}
      </svg>
      <Handles place={state.places[state.selected]} step={step} />
    </div>
  );
}

function Shape({
  place,
  isSelected,
}: {
  readonly place: Place;
  readonly isSelected: boolean;
}): ReactElement {
  const points = place.points.map(({ x, y }) => `${x * SCALE},${y * SCALE}`).join(' ');
  const className = `shape shape-${place.section} ${isSelected ? 'is-selected' : ''}`;
  return place.section === 'lines' ? (
    <polyline className={className} points={points} />
  ) : (
    <polygon className={className} points={points} />
  );
}

/** Points of the selected place; each is a button, so that a keyboard reaches it. */
function Handles({
  place,
  step,
}: {
  readonly place: Place | undefined;
  readonly step: Dispatch<EditAction>;
}): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const held = useRef<{ point: number; hasMoved: boolean } | null>(null);
  const onMove = ({ clientX, clientY }: PointerEvent): void => {
    const area = box.current?.getBoundingClientRect();
    if (held.current === null || area === undefined) return;
    const to = { x: (clientX - area.left) / area.width, y: (clientY - area.top) / area.height };
    step({ do: 'move', point: held.current.point, to, isSame: held.current.hasMoved });
    held.current.hasMoved = true;
  };
  const onDown = (event: PointerEvent, point: number): void => {
    event.currentTarget.setPointerCapture(event.pointerId);
    held.current = { point, hasMoved: false };
  };
  return (
    <div
      ref={box}
      className="handles"
      onPointerMove={onMove}
      onPointerUp={() => (held.current = null)}
    >
      {place?.points.map((point, index) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: a point is its place in the row
          key={index}
          type="button"
          className="handle"
          aria-label={`Point ${index + 1} of ${place.name}: ${percent(point.x)}, ${percent(point.y)}`}
          style={{ left: `${point.x * 100}%`, top: `${point.y * 100}%` }}
          onPointerDown={(event) => onDown(event, index)}
          onKeyDown={(event) => onKey(event, index, point, step)}
        />
      ))}
    </div>
  );
}

const STEPS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

function onKey(event: KeyboardEvent, point: number, at: Point, step: Dispatch<EditAction>): void {
  const way = STEPS[event.key];
  const share = event.shiftKey ? 0.001 : 0.01;
  if (way !== undefined)
    step({ do: 'move', point, to: { x: at.x + way.x * share, y: at.y + way.y * share } });
  else if (event.key === 'Insert') step({ do: 'insert', after: point });
  else if (event.key === 'Delete') step({ do: 'delete_point', point });
  else return;
  event.preventDefault();
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
