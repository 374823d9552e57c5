/** SQLite application id of the hub's file: the letters APHB. */
export const HUB_APPLICATION_ID = 0x41504842;

/** Its name in the data folder. */
export const HUB_FILE = 'hub.sqlite';

/**
 * Layout of the hub's database, one script per version.
 *
 * `stream_state` holds one high-water mark per (client, epoch, lane): duplicates are told by it alone, however
 * long a client was away. `event.event_id` is given out by the writer, ascending and never twice; whatever
 * deletes old events has to leave the newest one. `retention` knows how far that has come: everything but alerts is
 * gone up to `swept_through`, something is gone up to `deleted_through`. The `deleted_through` of a stream is the
 * highest number of a deleted message: up to there a known number cannot be told from a fork any more. `event_mid` is a second line of defence against cloned
 * storage and restored backups, where sequence numbers lie. `forgetting` is what PersonForgetting works off.
 */
export const HUB_MIGRATIONS = [
  `
CREATE TABLE identity(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  store_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE stream_state(
  client_id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  lane INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  acked_through INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY(client_id, epoch, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE event(
  event_id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL,
  epoch TEXT,
  lane INTEGER,
  seq INTEGER,
  message_id BLOB,
  type TEXT NOT NULL,
  camera_id TEXT,
  schema_version INTEGER,
  device_ms INTEGER,
  corrected_ms INTEGER,
  received_ms INTEGER NOT NULL,
  replayed INTEGER NOT NULL,
  status INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_mid ON event(message_id) WHERE message_id IS NOT NULL;
CREATE TABLE session(
  client_id TEXT NOT NULL,
  client_type TEXT NOT NULL,
  token_name TEXT NOT NULL,
  session_token_hash BLOB NOT NULL,
  connected_ms INTEGER NOT NULL,
  PRIMARY KEY(client_id, client_type)
) STRICT, WITHOUT ROWID;
`,
  // `token_digest` is of the token in the hub's configuration, the others are of the session tokens given out.
  `
ALTER TABLE event ADD COLUMN clock_suspect INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN token_digest TEXT;
ALTER TABLE session ADD COLUMN session_token_number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN previous_token_hash BLOB;
`,
  // `at_ms` is when it happened, by the best clock known. What is too deep for SQLite's JSON has no severity.
  `
ALTER TABLE event ADD COLUMN at_ms INTEGER
  GENERATED ALWAYS AS (coalesce(corrected_ms, device_ms, received_ms)) VIRTUAL;
ALTER TABLE event ADD COLUMN severity TEXT GENERATED ALWAYS AS (
  CASE WHEN type = 'alert_triggered' AND status = 0 AND json_valid(CAST(body AS TEXT))
    THEN json_extract(CAST(body AS TEXT), '$.severity') END) VIRTUAL;
CREATE INDEX event_at ON event(at_ms) WHERE status IN (0, 2);
CREATE INDEX event_camera ON event(camera_id, at_ms) WHERE status IN (0, 2);
CREATE INDEX event_type ON event(type, at_ms) WHERE status IN (0, 2);
CREATE INDEX event_client ON event(client_id, at_ms) WHERE status IN (0, 2);
CREATE INDEX event_severity ON event(severity, at_ms) WHERE severity IS NOT NULL;
ALTER TABLE stream_state ADD COLUMN deleted_through INTEGER NOT NULL DEFAULT 0;
CREATE TABLE retention(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  swept_through INTEGER NOT NULL,
  deleted_through INTEGER NOT NULL
) STRICT;
INSERT INTO retention(id, swept_through, deleted_through) VALUES (1, 0, 0);
`,
  // Orders of edges to forget a person, by the event that brought them. A hub that did not know them yet kept them as
  // they came.
  `
CREATE TABLE forgetting(
  order_id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  names TEXT NOT NULL DEFAULT '[]',
  phase INTEGER NOT NULL DEFAULT 0,
  done_through INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO forgetting(order_id, client_id, person_id)
  SELECT event_id, client_id, json_extract(CAST(body AS TEXT), '$.person_id') FROM event
  WHERE type = 'person_forgotten' AND status IN (0, 2)
    AND json_type(CAST(body AS TEXT), '$.person_id') = 'text';
UPDATE event SET status = 4 WHERE event_id IN (SELECT order_id FROM forgetting);
  `,
  // Alerts of several cameras, or of the edge itself.
  `
CREATE INDEX event_folded ON event(at_ms)
  WHERE camera_id IS NULL AND type = 'alert_triggered' AND status IN (0, 2);
`,
  // Thumbnails name no person, but a stay in view.
  `
ALTER TABLE forgetting ADD COLUMN events TEXT NOT NULL DEFAULT '[]';
`,
];

/** What became of a message when it was stored. */
export const EVENT_STATUS = {
  ok: 0,
  /** Failed validation; kept as it came, shown to nobody. */
  quarantined: 1,
  /** Of a type or version newer than this hub; kept and passed on as it came. */
  opaque: 2,
  /** Stands for sequence numbers that the client declared lost. */
  gap: 3,
  /** Told the hub to do something; shown to nobody. */
  order: 4,
} as const;
export type EventStatus = (typeof EVENT_STATUS)[keyof typeof EVENT_STATUS];
