-- Keystile, schema 1: SQLite. Text compares byte for byte. AUTOINCREMENT: a number is never given again.
-- ${prefix} is the table prefix, keystile_ by default. Times are milliseconds since 1970 in UTC.
-- There are no foreign keys: each change of a key writes all its rows in one transaction.

-- The keys. live_until and newest_created are derived from the secret versions.
CREATE TABLE IF NOT EXISTS ${prefix}key (
  key_id TEXT NOT NULL PRIMARY KEY,
  revision INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  brand TEXT NOT NULL,
  environment TEXT NOT NULL,
  owner TEXT NOT NULL,
  subject TEXT,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  networks TEXT NOT NULL,
  callers TEXT NOT NULL,
  plan TEXT,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ends_at INTEGER,
  revoked_at INTEGER,
  revoked_reason TEXT,
  revoked_note TEXT,
  revoked_by TEXT,
  revoked_last_used INTEGER,
  seal TEXT,
  live_until INTEGER,
  newest_created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ${prefix}key_by_owner ON ${prefix}key (owner, key_id);
CREATE INDEX IF NOT EXISTS ${prefix}key_by_subject ON ${prefix}key (subject, key_id);
CREATE INDEX IF NOT EXISTS ${prefix}key_by_live ON ${prefix}key (live_until);
CREATE INDEX IF NOT EXISTS ${prefix}key_by_revoked ON ${prefix}key (revoked_at);

-- Their secret versions.
CREATE TABLE IF NOT EXISTS ${prefix}version (
  key_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  scheme TEXT NOT NULL,
  pepper_id TEXT,
  hash TEXT NOT NULL,
  last_four TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT,
  note TEXT,
  expires_at INTEGER,
  retires_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (key_id, version)
);

-- When each version was last used: apart, because it is written often.
CREATE TABLE IF NOT EXISTS ${prefix}use (
  key_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  last_used INTEGER,
  last_seen INTEGER,
  PRIMARY KEY (key_id, version)
);

-- Which keys have changed, for the caches of all nodes.
CREATE TABLE IF NOT EXISTS ${prefix}change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key_id TEXT NOT NULL,
  happened_at INTEGER NOT NULL
);

-- Who did what.
CREATE TABLE IF NOT EXISTS ${prefix}audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  operation_id TEXT NOT NULL,
  action TEXT NOT NULL,
  key_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  happened_at INTEGER NOT NULL,
  actor TEXT,
  reason TEXT,
  note TEXT,
  state_before TEXT,
  state_after TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS ${prefix}audit_by_operation ON ${prefix}audit (operation_id);
CREATE INDEX IF NOT EXISTS ${prefix}audit_by_key ON ${prefix}audit (key_id, seq);
CREATE INDEX IF NOT EXISTS ${prefix}audit_by_owner ON ${prefix}audit (owner, seq);
CREATE INDEX IF NOT EXISTS ${prefix}audit_by_time ON ${prefix}audit (happened_at);

-- A row to lock per owner whose number of keys is limited.
CREATE TABLE IF NOT EXISTS ${prefix}owner (
  owner TEXT NOT NULL PRIMARY KEY,
  ticket INTEGER NOT NULL
);
