/** SQLite application id of the journal. */
export const JOURNAL_APPLICATION_ID = 1095780938;

export const JOURNAL_FILE = 'journal.db';

/** Grain of the tallies, milliseconds: time zones differ by multiples of a quarter of an hour. */
export const TALLY_MS = 15 * 60_000;

/**
 * Layout of the journal, one script per version. Never edit one that was released.
 *
 * Who an event is of stands in `person`, by a number: names and ids of people are in leaves of tables alone and in no
 * index, so that forgetting finds every place of the file where they may have been (`UnusedRoom`). `event.zones` is a
 * JSON list, and `event_zone` its index. `alert.cameras` is a JSON list of those of an alert that is of several.
 * `alert_severity` is the number of the highest alert of the event. `tally` counts by quarter of an hour and camera, the box
 * itself as the camera ''; `figure` are counts of the file and marks.
 */
export const JOURNAL_MIGRATIONS = [
  `
CREATE TABLE person(
  id INTEGER PRIMARY KEY,
  person_id TEXT NOT NULL
) STRICT;
CREATE TABLE event(
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL UNIQUE,
  camera_id TEXT NOT NULL,
  label TEXT NOT NULL,
  type TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER,
  score REAL NOT NULL,
  person INTEGER,
  zones TEXT NOT NULL,
  alert_severity INTEGER,
  reviewed_ms INTEGER,
  reviewed_by TEXT,
  false_positive_ms INTEGER,
  false_positive_by TEXT,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX event_at ON event(start_ms);
CREATE INDEX event_camera ON event(camera_id, start_ms);
CREATE INDEX event_label ON event(label, start_ms);
CREATE INDEX event_type ON event(type, start_ms);
CREATE INDEX event_person ON event(person, start_ms) WHERE person IS NOT NULL;
CREATE INDEX event_alerted ON event(alert_severity, start_ms) WHERE alert_severity IS NOT NULL;
CREATE INDEX event_reviewed ON event(start_ms) WHERE reviewed_ms IS NOT NULL;
CREATE INDEX event_unreviewed ON event(start_ms) WHERE reviewed_ms IS NULL;
CREATE INDEX event_false_positive ON event(start_ms) WHERE false_positive_ms IS NOT NULL;
CREATE TABLE event_zone(
  zone TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY(zone, start_ms, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE alert(
  id INTEGER PRIMARY KEY,
  alert_id TEXT NOT NULL UNIQUE,
  camera_id TEXT,
  cameras TEXT NOT NULL,
  event_id TEXT,
  type TEXT NOT NULL,
  severity INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  acknowledged_ms INTEGER,
  acknowledged_by TEXT,
  notes TEXT NOT NULL DEFAULT '[]',
  body TEXT NOT NULL
) STRICT;
CREATE INDEX alert_at ON alert(at_ms);
CREATE INDEX alert_camera ON alert(camera_id, at_ms);
CREATE INDEX alert_type ON alert(type, at_ms);
CREATE INDEX alert_severity ON alert(severity, at_ms);
CREATE INDEX alert_event ON alert(event_id, at_ms) WHERE event_id IS NOT NULL;
CREATE INDEX alert_open ON alert(at_ms) WHERE acknowledged_ms IS NULL;
CREATE INDEX alert_acknowledged ON alert(at_ms) WHERE acknowledged_ms IS NOT NULL;
CREATE TABLE tally(
  quarter INTEGER NOT NULL,
  camera_id TEXT NOT NULL,
  events INTEGER NOT NULL,
  alerts INTEGER NOT NULL,
  PRIMARY KEY(quarter, camera_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE figure(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
];
