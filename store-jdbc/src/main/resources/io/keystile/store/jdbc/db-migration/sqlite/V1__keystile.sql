-- Keystile, schema 1: SQLite. Text compares byte for byte. AUTOINCREMENT: a number is never given again.
-- ${prefix} is the table prefix, keystile_ by default. Times are milliseconds since 1970 in UTC.
-- There are no foreign keys: each change of a key writes all its rows in one transaction.

-- The keys. live_until, older_until, newest_created and newest_end are derived from the secret versions.
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
  limits TEXT NOT NULL,
  adapted_at INTEGER,
  adapted_per_minute INTEGER,
  adapted_why TEXT,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ends_at INTEGER,
  rotation_grace INTEGER,
  rotation_age INTEGER,
  revoked_at INTEGER,
  revoked_reason TEXT,
  revoked_note TEXT,
  revoked_by TEXT,
  revoked_last_used INTEGER,
  seal TEXT,
  live_until INTEGER,
  older_until INTEGER,
  newest_created INTEGER NOT NULL,
  newest_end INTEGER
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
  secret_version INTEGER,
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

-- What nodes share of the limits of keys and owners. Each row is of use until keep_until.
CREATE TABLE IF NOT EXISTS ${prefix}ledger (
  id TEXT NOT NULL PRIMARY KEY,
  revision INTEGER NOT NULL,
  content TEXT NOT NULL,
  keep_until INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ${prefix}ledger_by_keep ON ${prefix}ledger (keep_until);

-- How keys were used: amounts per hour and per day, where hours is 1 or 24. A plan that is empty is none.
CREATE TABLE IF NOT EXISTS ${prefix}tally (
  key_id TEXT NOT NULL,
  hours INTEGER NOT NULL,
  starts_at INTEGER NOT NULL,
  plan TEXT NOT NULL,
  metric TEXT NOT NULL,
  label TEXT NOT NULL,
  owner TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (key_id, hours, starts_at, plan, metric, label)
);
CREATE INDEX IF NOT EXISTS ${prefix}tally_by_owner ON ${prefix}tally (owner, hours, starts_at);
CREATE INDEX IF NOT EXISTS ${prefix}tally_by_time ON ${prefix}tally (hours, starts_at);

-- Which batches of them were added, so that none is added twice.
CREATE TABLE IF NOT EXISTS ${prefix}batch (
  id TEXT NOT NULL PRIMARY KEY,
  made_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ${prefix}batch_by_time ON ${prefix}batch (made_at);
