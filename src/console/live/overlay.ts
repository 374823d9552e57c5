import type { LiveObject } from '../../protocol/local-api/live-picture.ts';

/** In pixels of a canvas. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where a box lies on a canvas that shows the whole picture. @param box relative to the picture */
export function boxOnCanvas(box: LiveObject['box'], canvas: Size): Rectangle {
  return {
    x: box.x * canvas.width,
    y: box.y * canvas.height,
    width: box.width * canvas.width,
    height: box.height * canvas.height,
  };
}

/** What stands over a box. */
export function captionOf({ name, label, score }: LiveObject): string {
  return `${name ?? label} ${Math.round(score * 100)}%`;
}

/** Corners of a zone or line as they stand in the configuration: `x,y,x,y`. */
export function pointsOf(coordinates: string): { x: number; y: number }[] {
  const numbers = coordinates.split(',').map(Number);
  return numbers.flatMap((x, index) =>
    index % 2 === 0 ? [{ x, y: numbers[index + 1] ?? 0 }] : [],
  );
}

/** The same colour for the same kind of object, on every page. */
export function colourOf({ threat_level: threat, label, name }: LiveObject): string {
  if (threat === 'threat' || threat === 'watch_list') return '#f87171';
  if (name !== undefined) return '#4ade80';
  return label === 'person' ? '#38bdf8' : '#fbbf24';
}

export interface DrawnPlaces {
  readonly zones: readonly string[];
  readonly lines: readonly string[];
}

/** Draws a picture and everything over it. The canvas has the size of the picture. */
export function draw(
  context: CanvasRenderingContext2D,
  picture: ImageBitmap,
  { objects, places }: { objects: readonly LiveObject[]; places: DrawnPlaces },
): void {
  const size = { width: picture.width, height: picture.height };
  context.canvas.width = size.width;
  context.canvas.height = size.height;
  context.drawImage(picture, 0, 0);
  context.lineWidth = Math.max(1.5, size.width / 400);
  context.font = `600 ${Math.max(11, Math.round(size.width / 46))}px system-ui, sans-serif`;
  drawPlaces(context, places, size);
  for (const object of objects) drawObject(context, object, size);
}

function drawPlaces(context: CanvasRenderingContext2D, places: DrawnPlaces, size: Size): void {
  context.strokeStyle = 'rgba(250, 204, 21, 0.9)';
  context.fillStyle = 'rgba(250, 204, 21, 0.12)';
  for (const coordinates of [...places.zones, ...places.lines]) {
    const isZone = places.zones.includes(coordinates);
    context.beginPath();
    for (const { x, y } of pointsOf(coordinates)) context.lineTo(x * size.width, y * size.height);
    if (isZone) context.closePath();
    if (isZone) context.fill();
    context.stroke();
  }
}

function drawObject(context: CanvasRenderingContext2D, object: LiveObject, size: Size): void {
  const { x, y, width, height } = boxOnCanvas(object.box, size);
  const colour = colourOf(object);
  context.strokeStyle = colour;
  context.strokeRect(x, y, width, height);
  const caption = captionOf(object);
  const lineHeight = Number.parseInt(context.font.replace(/^600 /, ''), 10) + 6;
  const top = y >= lineHeight ? y - lineHeight : y;
  context.fillStyle = colour;
  context.fillRect(x, top, context.measureText(caption).width + 10, lineHeight);
  context.fillStyle = '#0b1220';
  context.textBaseline = 'middle';
  context.fillText(caption, x + 5, top + lineHeight / 2);
}
