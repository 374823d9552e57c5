import { expect, test } from 'vitest';
import { THUMBNAIL_MARK, withoutPicture } from '../../../src/people/taken-back.ts';

const EVENTS = new Set(['e-1']);
const text = (more: object) => JSON.stringify({ alert_id: 'a', jpeg: 'AAAA', ...more });

test('a picture is taken out of the thumbnails of the events alone', () => {
  const shown = text({ event_id: 'e-1', width: 3 });
  expect(JSON.parse(withoutPicture(shown, EVENTS))).toEqual({
    ...{ alert_id: 'a', event_id: 'e-1', width: 3, jpeg: '' },
  });
  expect(shown).toContain(THUMBNAIL_MARK);
});

test('everything else stays the very same text', () => {
  for (const other of [
    text({ event_id: 'e-2' }),
    text({}),
    text({ event_id: ['e-1'] }),
    text({ event_id: 'e-1', jpeg: '' }),
    'null',
    '["e-1"]',
    '{"event_id":"e-1","jpeg"',
  ])
    expect(withoutPicture(other, EVENTS)).toBe(other);
});
