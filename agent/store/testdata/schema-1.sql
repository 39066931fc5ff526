-- A store of schema 1 with one extension whose finding was told, as the program left it.
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
PRAGMA application_id = 1165522007;
PRAGMA user_version = 1;
INSERT INTO blobs (id, hash, data)
  VALUES (1, X'52F599580E54530D52B08B000E4B1B7C518D08D02AEBD4284AC848392C7CAC3A', X'005500AAFF7B2256657264696374223A22737573706963696F7573222C225265616368223A6E756C6C2C2246696E64696E6773223A6E756C6C2C2250726F626C656D73223A6E756C6C2C225061727469616C223A66616C73657D0300');
INSERT INTO blobs (id, hash, data)
  VALUES (2, X'6CA48A6132CB475817DA2060AE5D4E6828577E39F5114FD500CD9B8544F7BF15', X'5C914F6FF2300CC6BFCA2B9F7379B55B6E8CB23101A302310ED30E213510D5B5ABFC415488EF3EA98516768B9FE79727767C8199E3023480828561B7C710BFD007270CFA45C1A7A910344CCE113938E17F0614AC8FE2E3CD01053D0FFF876AB0330CD6BB3AB691000A46291EC577E7A954589B036E56F34ED8D485894339C3A6D333DC9B44712ED61076528EBE722138E100FA1BAC48E930C08F8265FB9AA12782139182A984D81777EE491C0B47E4B86E9BEED15763CB8397C405E80BE4E6706BE20FB6467F7216B7E24BBC8DB890221182DE1B0A7855EDDD3E768BBB91B51882DB11DEDB9A9C237A3644CD5898D146F360AE12E19BA321622C5565B8E8239727F4DE158F403710DAE45D6C7221679BBBF98EB614D017F8C8BA5F7D5AC0B5DD401F9DA59A9C35111FC5DCCB8EB00AA039115D7F0700');
INSERT INTO blobs (id, hash, data)
  VALUES (3, X'537DAE5CCF2A32C0669C93517393D6F8DADD74224793D5FEFCA809FA96F814B1', X'004C00B3FF7B2262672E6A73223A2230303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303031227D0300');
INSERT INTO blobs (id, hash, data)
  VALUES (4, X'BD431E9F3A1A77AB7E0677F4377055F05CFABCD57915DA461DD190083711346D', X'04C0C14E83401006E05721FFA59A6CDA186F73F411F44838E0F253C60EBB8419B086F0EE7E07D6CD08414C1C0309A16184E08B65F026D7FA507AD3FFF67F4830EE340826BD4F48D8B90E9A0302DF7CD1AC75732470D7812513D21E18D508C1F7FDFAE348302D84BC27E46ADB5C206F09C167403032F2F47299221697DB2D5733E6B8F2D9CF8BF1F28AB34B58E94B2D4EC881CDB9425A7C72AE3B1B0D7409FD306B81B4F8B09A1F8D06BAF3FC1F00');
INSERT INTO extensions (id, browser, dir, ext_id, place, channel, user, profile, title, path, origin, name, version, enabled, verdict, ruleset, result, partial, state, judged, episode, first_seen, last_seen, gone)
  VALUES (1, 'chrome', '/home/ada/.config/google-chrome/Default', 'a', '', 'stable', 'ada', 'Default', 'Work', '/home/ada/a/1', 'store', 'Extension a', '1', 1, 'suspicious', 1, 1, 0, X'4058A53D691F1F373519E0CF21F87DC3B8D9F422B6E2ED0208AA1B413C778196', X'C85DE4BB2DA4113B4B8F3532EEAD5189F2E254C353AC324BBEFC8A5E59DC677B', 1, 1780315200000, 1780315200000, 0);
INSERT INTO versions (id, extension, version, manifest, content, files, first_seen, last_seen)
  VALUES (1, 1, '1', 2, 'c-1', 3, 1780315200000, 1780315200000);
INSERT INTO findings (id, extension, episode, rule, worst, verdict, data, ruleset, key, opened, closed)
  VALUES (1, 1, 1, 'theft', 'suspicious', 'suspicious', 4, 1, '8cb36f72d806e33af119222a54ddb357', 1780315200000, 0);
INSERT INTO told (finding, user, channel, began, done)
  VALUES (1, 'ada', 'desktop', 1780315200000, 1780315200000);
INSERT INTO decisions (id, kind, ext_id, place, browser, user, dir, rule, upto, reason, by, at, until, ended, ended_by)
  VALUES (1, 'block', 'a', '', '', '', '', '', 'suspicious', 'theft', 'root', 1780315200000, 0, 0, '');
INSERT INTO events (id, at, kind, extension, user, text)
  VALUES (1, 1780315200000, 'new', 1, 'ada', 'Extension a 1');
INSERT INTO events (id, at, kind, extension, user, text)
  VALUES (2, 1780315200000, 'warning', 1, 'ada', 'Extension a: Sends cookies away');
INSERT INTO events (id, at, kind, extension, user, text)
  VALUES (3, 1780315200000, 'decided', NULL, '', 'block a, by root: theft');
