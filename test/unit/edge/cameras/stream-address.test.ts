import { describe, expect, test } from 'vitest';
import { isSameAddress, isSamePlace } from '../../../../src/edge/cameras/stream-address.ts';

describe('isSameAddress', () => {
  test.each([
    ['rtsp://cam/a', 'rtsp://cam/a'],
    ['RTSP://CAM:554/a?x=1', 'rtsp://cam/a?x=1'],
    ['rtsps://cam/a', 'rtsps://cam:322/a'],
    ['rtsp://cam/a', 'rtsp://user:secret@cam/a'],
    ['rtsp://user:se%63ret@cam/a', 'rtsp://user:secret@cam/a'],
  ])('%s leads where %s does', (given, known) => {
    expect(isSameAddress(given, known)).toBe(true);
  });

  test.each([
    ['rtsp://cam/a', 'rtsp://cam/A'],
    ['rtsp://cam/a', 'rtsps://cam/a'],
    ['rtsp://cam:8554/a', 'rtsp://cam/a'],
    ['rtsp://other/a', 'rtsp://cam/a'],
    ['rtsp://user:wrong@cam/a', 'rtsp://user:secret@cam/a'],
    ['rtsp://user:secret@cam/a', 'rtsp://cam/a'],
    ['no address', 'rtsp://cam/a'],
  ])('%s does not lead where %s does', (given, known) => {
    expect(isSameAddress(given, known)).toBe(false);
  });
});

test('a guess at the password of a configured camera is answered like any other', () => {
  for (const given of ['rtsp://cam/a', 'rtsp://user:secret@cam/a', 'rtsp://user:wrong@cam/a'])
    expect(isSamePlace(given, 'rtsp://user:secret@cam/a')).toBe(true);
  expect(isSamePlace('rtsp://user:secret@cam/b', 'rtsp://user:secret@cam/a')).toBe(false);
});
