import { describe, expect, test } from 'vitest';
import {
  EventPictures,
  type EventPicturesDeps,
  keptPictureSize,
} from '../../../../src/edge/cameras/event-pictures.ts';
import { silentLogger } from '../../../../src/system/logger.ts';
import type { SnapshotImage } from '../../../../src/vision/contract.ts';

const REQUEST = {
  ...{ cameraId: 'gate', eventId: 'e1', frameId: 7 },
  box: { x: 0, y: 0, width: 1, height: 1 },
};
const IMAGE = { jpeg: Uint8Array.of(1, 2), width: 800, height: 450 };

function pictures(image: SnapshotImage | null, save: () => Promise<string>) {
  const asked: unknown[] = [];
  const deps = {
    vision: {
      snapshot: async (...question: unknown[]) => {
        asked.push(question);
        return image;
      },
    },
    evidence: { snapshots: { save }, faces: { save } },
    log: silentLogger,
  };
  return { asked, pictures: new EventPictures(deps as unknown as EventPicturesDeps) };
}

describe('EventPictures', () => {
  test('asks for the picture of the frame and says where it is', async () => {
    const { asked, pictures: kept } = pictures(IMAGE, async () => '/e1.jpg');
    expect(await kept.keepSnapshot(REQUEST, 1280)).toBe('/e1.jpg');
    expect(asked).toEqual([['gate', 7, 1280]]);
  });

  test('one that is gone, or that the disk does not take, could not be had', async () => {
    const full = async () => {
      throw new Error('ENOSPC');
    };
    expect(
      await pictures(null, async () => '/e1.jpg').pictures.keepSnapshot(REQUEST, 1),
    ).toBeNull();
    const { pictures: refused } = pictures(IMAGE, full);
    expect(await refused.keepSnapshot(REQUEST, 1)).toBeNull();
    await expect(refused.keepFace(REQUEST, IMAGE.jpeg)).resolves.toBeUndefined();
  });
});

test.each([
  [{ width: 1920, height: 1080 }, { maxWidth: 1280, maxHeight: 1280 }, [1280, 720]],
  [{ width: 1080, height: 1920 }, { maxWidth: 1280, maxHeight: 960 }, [540, 960]],
  [{ width: 640, height: 360 }, { maxWidth: 1280, maxHeight: 960 }, [640, 360]],
])('of a stream of %j pictures within %j are %j', (stream, limits, size) => {
  const kept = keptPictureSize(stream, limits);
  expect([kept?.width, kept?.height]).toEqual(size);
  expect([keptPictureSize(null, limits), keptPictureSize(stream, null)]).toEqual([null, null]);
});
