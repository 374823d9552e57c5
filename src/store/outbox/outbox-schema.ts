/** SQLite application id of the edge's file. */
export const OUTBOX_APPLICATION_ID = 1095779672;

const outbox = (lane: number): string => `
CREATE TABLE outbox_${lane}(
  seq INTEGER PRIMARY KEY,
  epoch_id INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  type TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  camera_id TEXT,
  wall_ms INTEGER NOT NULL,
  mono_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  flags INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL,
  crc32 INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;`;

/**
 * Layout of the edge's database, one script per version.
 *
 * One table per lane with `seq` as the rowid: rows are appended at the right edge and deleted at the left, with
 * no second index, which writes a third less to flash than one table for all. `seq` is per lane and never goes
 * back for the life of the file. `epoch` is new at every start: where storage rolls back (a card that lies
 * about fsync), a `seq` can come twice, but never (epoch, seq). `first_seq` and `next_seq` are JSON arrays by
 * lane; `next_seq` is null while the epoch goes on. `crc32` stands in for page checksums, which SQLite lacks.
 * `event` holds the objects seen by the cameras, so that the ones which a crash left open can be ended.
 */
export const OUTBOX_MIGRATIONS = [
  `
CREATE TABLE epoch(
  epoch_id INTEGER PRIMARY KEY,
  epoch TEXT NOT NULL UNIQUE,
  boot_id TEXT NOT NULL,
  opened_wall_ms INTEGER NOT NULL,
  opened_mono_ms INTEGER NOT NULL,
  first_seq TEXT NOT NULL,
  next_seq TEXT,
  clean_close INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE lane_state(
  lane INTEGER PRIMARY KEY,
  next_seq INTEGER NOT NULL,
  evicted_count INTEGER NOT NULL DEFAULT 0,
  evicted_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO lane_state(lane, next_seq) VALUES (0, 1), (1, 1), (2, 1), (3, 1);
${[0, 1, 2, 3].map(outbox).join('')}
CREATE TABLE sink_cursor(
  sink TEXT NOT NULL,
  lane INTEGER NOT NULL,
  acked_seq INTEGER NOT NULL,
  PRIMARY KEY(sink, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE sink_peer(
  sink TEXT PRIMARY KEY,
  store_id TEXT NOT NULL,
  session_token TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letter(
  id INTEGER PRIMARY KEY,
  lane INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_wall_ms INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE event(
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL UNIQUE,
  camera_id TEXT NOT NULL,
  label TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER,
  snapshot_path TEXT,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX event_open ON event(id) WHERE end_ms IS NULL;
`,
  `
ALTER TABLE lane_state ADD COLUMN gap_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dead_letter ADD COLUMN type TEXT;
`,
];

/** Bits of `outbox_N.flags`. */
export const ROW_FLAGS = {
  /** The body is a gap record that stands for a range of sequence numbers. */
  gap: 1,
  /** The body is raw-deflated. */
  deflated: 2,
  /** The checksum covers the whole row; that of rows of layout 1 covers the body alone. */
  wholeChecksum: 4,
} as const;
