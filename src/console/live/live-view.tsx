import { type ReactElement, type RefObject, useEffect, useRef, useState } from 'react';
import { usePlaces } from '../api/queries.ts';
import { duration } from '../parts/time.tsx';
import type { PicturePart } from './multipart.ts';
import { boxOnCanvas, draw } from './overlay.ts';
import { PictureFeed } from './picture-feed.ts';

/** A picture that is older is not live. */
const STALE_MS = 3000;

const FEEDS = { small: new PictureFeed(640), large: new PictureFeed(1280) };

export interface LiveViewProps {
  readonly cameraId: string;
  readonly size: keyof typeof FEEDS;
}

/** Live pictures of a camera with what is seen in them, drawn together: each box over the very frame that it is of. */
export function LiveView({ cameraId, size }: LiveViewProps): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const places = usePlaces(cameraId);
  const drawn = useRef(places);
  drawn.current = places;
  const isSeen = useIsSeen(canvas);
  const [shownMs, setShownMs] = useState<number | null>(null);
  useEffect(() => {
    if (!isSeen) return;
    let isOver = false;
    const show = async (part: PicturePart): Promise<void> => {
      const picture = await createImageBitmap(new Blob([part.jpeg], { type: 'image/jpeg' }));
      const context = canvas.current?.getContext('2d');
      if (!isOver && context != null) {
        draw(context, picture, { objects: part.objects, places: drawn.current });
        tellWhatIsDrawn(context.canvas, part);
        setShownMs(performance.now());
      }
      picture.close();
    };
    const end = FEEDS[size].watch(cameraId, (part) => void show(part).catch(() => undefined));
    return () => {
      isOver = true;
      end();
    };
  }, [cameraId, size, isSeen]);
  const ageMs = useAge(shownMs);
  const isStale = ageMs === null || ageMs > STALE_MS;
  return (
    <div className={`live-view ${isStale ? 'is-stale' : ''}`}>
      <canvas
        ref={canvas}
        width={640}
        height={360}
        role="img"
        aria-label={`Live picture of ${cameraId}`}
      />
      {isStale && (
        <p className="live-age">
          {ageMs === null ? 'No picture yet' : `Picture is ${duration(ageMs / 1000)} old`}
        </p>
      )}
    </div>
  );
}

/** For tests, and for who looks into a page: what lies where on the canvas. */
function tellWhatIsDrawn(canvas: HTMLCanvasElement, { frameId, objects }: PicturePart): void {
  canvas.dataset.frameId = String(frameId);
  const boxes = objects.map(({ label, name, box, track_id }) => ({
    ...{ label, name, track_id, ...boxOnCanvas(box, canvas) },
  }));
  canvas.dataset.boxes = JSON.stringify(boxes);
}

/** Off the screen, and on a page that nobody looks at, nothing is asked for. */
function useIsSeen(canvas: RefObject<HTMLCanvasElement | null>): boolean {
  const [isInView, setInView] = useState(true);
  const [isShown, setShown] = useState(!document.hidden);
  useEffect(() => {
    const note = (): void => setShown(!document.hidden);
    document.addEventListener('visibilitychange', note);
    const observer = new IntersectionObserver(([entry]) =>
      setInView(entry?.isIntersecting ?? true),
    );
    if (canvas.current !== null) observer.observe(canvas.current);
    return () => {
      document.removeEventListener('visibilitychange', note);
      observer.disconnect();
    };
  }, [canvas]);
  return isInView && isShown;
}

/** Since a moment of `performance.now()`, ms, told every second. */
function useAge(sinceMs: number | null): number | null {
  const [nowMs, setNowMs] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return sinceMs === null ? null : Math.max(0, nowMs - sinceMs);
}
