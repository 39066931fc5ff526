-- What is seen, judged, told and decided. Times are milliseconds since 1970 in UTC; 0 is "never".

-- Manifests, results, findings and file lists, compressed, each once however many profiles hold it.
CREATE TABLE blobs (
  id   INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  data BLOB NOT NULL
) STRICT;

-- One extension in one profile, over all its versions. place is its folder when it is unpacked or built in: such a one
-- can claim any ID.
CREATE TABLE extensions (
  id         INTEGER PRIMARY KEY,
  browser    TEXT NOT NULL,
  dir        TEXT NOT NULL,
  ext_id     TEXT NOT NULL,
  place      TEXT NOT NULL,
  channel    TEXT NOT NULL,
  user       TEXT NOT NULL,
  profile    TEXT NOT NULL,
  title      TEXT NOT NULL,
  path       TEXT NOT NULL,
  origin     TEXT NOT NULL,
  name       TEXT NOT NULL,
  version    TEXT NOT NULL,
  enabled    INTEGER NOT NULL,
  verdict    TEXT NOT NULL,
  ruleset    INTEGER NOT NULL,
  result     INTEGER NOT NULL REFERENCES blobs (id),
  partial    INTEGER NOT NULL,
  state      BLOB NOT NULL,
  judged     BLOB NOT NULL,
  episode    INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL,
  gone       INTEGER NOT NULL DEFAULT 0,
  UNIQUE (browser, dir, ext_id, place)
) STRICT;
CREATE INDEX extensions_by_dir ON extensions (dir);
CREATE INDEX extensions_by_ext_id ON extensions (ext_id);
CREATE INDEX extensions_by_user ON extensions (user);

CREATE TABLE versions (
  id         INTEGER PRIMARY KEY,
  extension  INTEGER NOT NULL REFERENCES extensions (id) ON DELETE CASCADE,
  version    TEXT NOT NULL,
  manifest   INTEGER NOT NULL REFERENCES blobs (id),
  content    TEXT NOT NULL,
  files      INTEGER REFERENCES blobs (id),
  first_seen INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL
) STRICT;
CREATE INDEX versions_by_extension ON versions (extension, id);

-- One finding in one stay of an extension. A worse verdict by the same rule is another row: it is told again.
CREATE TABLE findings (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  extension INTEGER NOT NULL REFERENCES extensions (id) ON DELETE CASCADE,
  episode   INTEGER NOT NULL,
  rule      TEXT NOT NULL,
  worst     TEXT NOT NULL,
  verdict   TEXT NOT NULL,
  data      INTEGER NOT NULL REFERENCES blobs (id),
  ruleset   INTEGER NOT NULL,
  key       TEXT NOT NULL UNIQUE,
  opened    INTEGER NOT NULL,
  closed    INTEGER NOT NULL DEFAULT 0,
  UNIQUE (extension, episode, rule, worst)
) STRICT;
CREATE INDEX findings_open ON findings (extension) WHERE closed = 0;

CREATE TABLE told (
  finding INTEGER NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
  user    TEXT NOT NULL,
  channel TEXT NOT NULL,
  began   INTEGER NOT NULL,
  done    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (finding, user, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  kind     TEXT NOT NULL,
  ext_id   TEXT NOT NULL,
  place    TEXT NOT NULL,
  browser  TEXT NOT NULL,
  user     TEXT NOT NULL,
  dir      TEXT NOT NULL,
  rule     TEXT NOT NULL,
  upto     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  by       TEXT NOT NULL,
  at       INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  ended    INTEGER NOT NULL DEFAULT 0,
  ended_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX decisions_by_ext_id ON decisions (ext_id) WHERE ended = 0;

CREATE TABLE events (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  extension INTEGER REFERENCES extensions (id) ON DELETE SET NULL,
  user      TEXT NOT NULL,
  text      TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_extension ON events (extension);
CREATE INDEX events_by_user ON events (user, id);
