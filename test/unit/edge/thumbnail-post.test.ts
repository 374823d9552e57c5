import { expect, test } from 'vitest';
import { ThumbnailPost, type ThumbnailPostDeps } from '../../../src/edge/thumbnail-post.ts';
import { DailyAllowance } from '../../../src/evidence/upstream/daily-allowance.ts';
import {
  type AlertTriggered,
  MAX_THUMBNAIL_CHARACTERS,
  PAYLOADS,
} from '../../../src/protocol/payloads.ts';
import type { OutgoingMessage } from '../../../src/store/store.ts';
import { LogLines } from '../../support/log-lines.ts';

const ALERT: AlertTriggered = {
  ...{ type: 'loitering', camera_id: 'gate', severity: 'high', timestamp: 5, alert_id: 'a-1' },
  data: { event_id: 'e-1' },
};
const PICTURE = { jpeg: new Uint8Array(300).fill(7), width: 320, height: 200 };
/** Of the picture as base64. */
const CHARACTERS = 400;

const spent = ({ lines }: LogLines) =>
  lines.filter((line) => line.includes('the daily allowance is spent'));

function scene(bytesPerDay: number, isEnabled = true) {
  const time = { wallMs: 1000 };
  const clock = { wallMs: () => time.wallMs, monotonicMs: () => 0 };
  const sent: OutgoingMessage[] = [];
  const log = new LogLines();
  const deps = {
    store: { enqueue: async (items: readonly OutgoingMessage[]) => void sent.push(...items) },
    allowance: new DailyAllowance({ bytesPerDay, sent: {}, clock, save: () => undefined }),
    ...{ isEnabled, clock, log },
  };
  return { time, sent, log, post: new ThumbnailPost(deps as unknown as ThumbnailPostDeps) };
}

test('a thumbnail names its alert and its event, and is what the hub takes for one', () => {
  const { post, sent } = scene(1e6);
  post.send(ALERT, PICTURE);
  expect(sent).toMatchObject([{ type: 'alert_thumbnail', cameraId: 'gate', wallMs: 5 }]);
  const data = PAYLOADS.alert_thumbnail.schema.parse(sent[0]?.data);
  expect(data).toMatchObject({ alert_id: 'a-1', event_id: 'e-1', width: 320, height: 200 });
  expect(Buffer.from(data.jpeg, 'base64')).toEqual(Buffer.from(PICTURE.jpeg));
  expect(post.counts).toEqual({ sent: 1, withheld: 0 });
});

test('beyond the allowance of the day they are kept, which is told once a day', () => {
  const { post, sent, log, time } = scene(2 * CHARACTERS + 399);
  for (let count = 0; count < 5; count++) post.send(ALERT, PICTURE);
  expect(post.counts).toEqual({ sent: 2, withheld: 3 });
  expect(spent(log)).toHaveLength(1);
  time.wallMs += 24 * 3600_000;
  for (let count = 0; count < 3; count++) post.send(ALERT, PICTURE);
  expect(post.counts).toEqual({ sent: 4, withheld: 4 });
  expect(sent).toHaveLength(4);
  expect(spent(log)).toHaveLength(2);
});

test('without a hub, or for an alert of no camera, nothing is sent and nothing counted', () => {
  const off = scene(1e6, false);
  off.post.send(ALERT, PICTURE);
  const { post, sent } = scene(1e6);
  const { camera_id: _camera, ...ofTheBox } = ALERT;
  post.send(ofTheBox, PICTURE);
  expect([off.sent, sent, off.post.counts, post.counts]).toEqual([
    ...[[], [], { sent: 0, withheld: 0 }, { sent: 0, withheld: 0 }],
  ]);
});

test('a picture that no hub would take stays here', () => {
  const { post, sent } = scene(1e9);
  post.send(ALERT, { ...PICTURE, jpeg: new Uint8Array(MAX_THUMBNAIL_CHARACTERS) });
  expect([sent, post.counts]).toEqual([[], { sent: 0, withheld: 1 }]);
});
