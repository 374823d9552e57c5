import { expect, test } from 'vitest';
import { progressLine } from '../../../src/models/progress-line.ts';

const half = { name: 'yolov8n', received: 6_000_000, total: 12_000_000, bytesPerSecond: 2_500_000 };

test('draws a bar that fits the terminal', () => {
  const line = progressLine(half, 80);
  expect(line).toMatch(/^yolov8n \[#+\.+\] {2}50% {2}6\.0 of 12\.0 MB {2}2\.5 MB\/s$/);
  expect(line.length).toBeLessThan(80);
  const bar = line.slice(line.indexOf('[') + 1, line.indexOf(']'));
  expect(bar.split('#').length).toBe(bar.split('.').length);
});

test('leaves the bar out where there is no terminal or no room', () => {
  expect(progressLine(half, null)).toBe('yolov8n  50%  6.0 of 12.0 MB  2.5 MB/s');
  expect(progressLine(half, 20)).toHaveLength(20);
});

test('says only what it knows when the size is unknown', () => {
  expect(progressLine({ ...half, total: null }, 80)).toBe('yolov8n  6.0 MB  2.5 MB/s');
});

test('never shows more than all', () => {
  expect(progressLine({ ...half, received: 13_000_000 }, null)).toContain('100%');
});
