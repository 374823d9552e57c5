import type { ModelGeometry } from '../capture/contract.ts';
import type { BoundingBox } from '../protocol/detection.ts';

export interface Size {
  width: number;
  height: number;
}

/** The coarsest feature map of YOLOv8 has a cell per 32 pixels, so a frame is a multiple of it. */
export const COARSEST_STRIDE = 32;

/**
 * What a model leaves open about its frames: `rectangular` ones fit the picture's shape and keep the long side
 * (pixels, a multiple of 32); a `fixed` size was decided by whoever exported the model.
 */
export type FramePlan =
  | { kind: 'rectangular'; longSide: number }
  | ({ kind: 'fixed' } & Readonly<Size>);

/** The smallest frame that holds the picture scaled to `longSide`. */
export function frameSize(picture: Size, longSide: number): Size {
  const scale = longSide / Math.max(picture.width, picture.height);
  const side = (length: number): number =>
    Math.max(1, Math.ceil(Math.round(length * scale) / COARSEST_STRIDE)) * COARSEST_STRIDE;
  return { width: side(picture.width), height: side(picture.height) };
}

/**
 * Where the picture lies in a frame: scaled to fit, in the middle.
 *
 * Rounded as models were trained and the reference detections were made: an odd padding pixel goes to the right
 * and the bottom (github.com/ultralytics/ultralytics, ultralytics/data/augment.py, LetterBox).
 */
export function letterbox(picture: Size, frame: Size): ModelGeometry {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height);
  const contentWidth = Math.max(1, Math.round(picture.width * scale));
  const contentHeight = Math.max(1, Math.round(picture.height * scale));
  return {
    modelWidth: frame.width,
    modelHeight: frame.height,
    contentWidth,
    contentHeight,
    padLeft: Math.max(0, Math.round((frame.width - contentWidth) / 2 - 0.1)),
    padTop: Math.max(0, Math.round((frame.height - contentHeight) / 2 - 0.1)),
  };
}

export function planGeometry(picture: Size, plan: FramePlan): ModelGeometry {
  const frame = plan.kind === 'fixed' ? plan : frameSize(picture, plan.longSide);
  return letterbox(picture, frame);
}

/** Corners in pixels of the frame. */
export interface FrameBox {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** The part of a box that lies in the picture, relative to the picture; null when none of it does. */
export function pictureBox(box: FrameBox, geometry: ModelGeometry): BoundingBox | null {
  const { contentWidth, contentHeight, padLeft, padTop } = geometry;
  const x1 = clip((box.x1 - padLeft) / contentWidth);
  const y1 = clip((box.y1 - padTop) / contentHeight);
  const x2 = clip((box.x2 - padLeft) / contentWidth);
  const y2 = clip((box.y2 - padTop) / contentHeight);
  return x2 > x1 && y2 > y1 ? { x: x1, y: y1, width: x2 - x1, height: y2 - y1 } : null;
}

function clip(value: number): number {
  return Math.min(1, Math.max(0, value));
}
