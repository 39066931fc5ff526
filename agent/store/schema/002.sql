-- What the code of an extension does, what is on its way to other systems, and what the pages show of the agent itself.

CREATE TABLE analyses (
  content TEXT NOT NULL,
  engine  TEXT NOT NULL,
  data    BLOB NOT NULL,
  used    INTEGER NOT NULL,
  PRIMARY KEY (content, engine)
) STRICT;

CREATE TABLE outbox (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  key     TEXT NOT NULL,
  payload BLOB NOT NULL,
  tries   INTEGER NOT NULL DEFAULT 0,
  error   TEXT NOT NULL DEFAULT '',
  at      INTEGER NOT NULL,
  due     INTEGER NOT NULL,
  done    INTEGER NOT NULL DEFAULT 0,
  UNIQUE (channel, key)
) STRICT;
CREATE INDEX outbox_due ON outbox (channel, due, id) WHERE done = 0;

CREATE TABLE feeds (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  version    INTEGER NOT NULL,
  rules      INTEGER NOT NULL,
  indicators INTEGER NOT NULL,
  at         INTEGER NOT NULL
) STRICT;

CREATE TABLE sweeps (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at         INTEGER NOT NULL,
  took       INTEGER NOT NULL,
  browsers   INTEGER NOT NULL,
  profiles   INTEGER NOT NULL,
  extensions INTEGER NOT NULL,
  problems   BLOB NOT NULL
) STRICT;

CREATE TABLE ticks (
  user     TEXT NOT NULL,
  exchange TEXT NOT NULL,
  step     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (user, exchange, step)
) STRICT, WITHOUT ROWID;
