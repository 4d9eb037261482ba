-- Keystile, schema 1: MariaDB and MySQL. Compared text is binary: most collations ignore trailing blanks.
-- ${prefix} is the table prefix, keystile_ by default. Times are milliseconds since 1970 in UTC.
-- There are no foreign keys: each change of a key writes all its rows in one transaction.

-- The keys. live_until, older_until, newest_created and newest_end are derived from the secret versions.
CREATE TABLE IF NOT EXISTS ${prefix}key (
  key_id VARBINARY(22) NOT NULL PRIMARY KEY,
  revision BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  brand VARBINARY(16) NOT NULL,
  environment VARBINARY(16) NOT NULL,
  owner VARBINARY(255) NOT NULL,
  subject VARBINARY(255),
  name VARCHAR(200) NOT NULL,
  scopes TEXT NOT NULL,
  networks TEXT NOT NULL,
  callers TEXT NOT NULL,
  plan VARCHAR(100),
  limits VARCHAR(1300) NOT NULL,
  adapted_at BIGINT,
  adapted_per_minute BIGINT,
  adapted_why VARCHAR(500),
  metadata TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ends_at BIGINT,
  rotation_grace BIGINT,
  rotation_age BIGINT,
  revoked_at BIGINT,
  revoked_reason VARCHAR(40),
  revoked_note VARCHAR(500),
  revoked_by VARCHAR(255),
  revoked_last_used BIGINT,
  seal VARCHAR(200),
  live_until BIGINT,
  older_until BIGINT,
  newest_created BIGINT NOT NULL,
  newest_end BIGINT,
  INDEX ${prefix}key_by_owner (owner, key_id),
  INDEX ${prefix}key_by_subject (subject, key_id),
  INDEX ${prefix}key_by_live (live_until),
  INDEX ${prefix}key_by_revoked (revoked_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Their secret versions.
CREATE TABLE IF NOT EXISTS ${prefix}version (
  key_id VARBINARY(22) NOT NULL,
  version INTEGER NOT NULL,
  scheme VARCHAR(40) NOT NULL,
  pepper_id VARCHAR(40),
  hash VARCHAR(64) NOT NULL,
  last_four VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(255),
  note VARCHAR(500),
  expires_at BIGINT,
  retires_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (key_id, version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- When each version was last used: apart, because it is written often.
CREATE TABLE IF NOT EXISTS ${prefix}use (
  key_id VARBINARY(22) NOT NULL,
  version INTEGER NOT NULL,
  last_used BIGINT,
  last_seen BIGINT,
  PRIMARY KEY (key_id, version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which keys have changed, for the caches of all nodes.
CREATE TABLE IF NOT EXISTS ${prefix}change (
  seq BIGINT AUTO_INCREMENT PRIMARY KEY,
  key_id VARBINARY(22) NOT NULL,
  happened_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who did what.
CREATE TABLE IF NOT EXISTS ${prefix}audit (
  seq BIGINT AUTO_INCREMENT PRIMARY KEY,
  operation_id VARBINARY(255) NOT NULL,
  action VARCHAR(40) NOT NULL,
  key_id VARBINARY(22) NOT NULL,
  owner VARBINARY(255) NOT NULL,
  secret_version INTEGER,
  happened_at BIGINT NOT NULL,
  actor VARCHAR(255),
  reason VARCHAR(40),
  note VARCHAR(500),
  state_before VARCHAR(16),
  state_after VARCHAR(16),
  UNIQUE INDEX ${prefix}audit_by_operation (operation_id),
  INDEX ${prefix}audit_by_key (key_id, seq),
  INDEX ${prefix}audit_by_owner (owner, seq),
  INDEX ${prefix}audit_by_time (happened_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A row to lock per owner whose number of keys is limited.
CREATE TABLE IF NOT EXISTS ${prefix}owner (
  owner VARBINARY(255) NOT NULL PRIMARY KEY,
  ticket BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What nodes share of the limits of keys and owners. Each row is of use until keep_until.
CREATE TABLE IF NOT EXISTS ${prefix}ledger (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  revision BIGINT NOT NULL,
  content TEXT NOT NULL,
  keep_until BIGINT NOT NULL,
  INDEX ${prefix}ledger_by_keep (keep_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How keys were used: amounts per hour and per day, where hours is 1 or 24. A plan that is empty is none.
CREATE TABLE IF NOT EXISTS ${prefix}tally (
  key_id VARBINARY(22) NOT NULL,
  hours INTEGER NOT NULL,
  starts_at BIGINT NOT NULL,
  plan VARBINARY(100) NOT NULL,
  metric VARBINARY(32) NOT NULL,
  label VARBINARY(200) NOT NULL,
  owner VARBINARY(255) NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (key_id, hours, starts_at, plan, metric, label),
  INDEX ${prefix}tally_by_owner (owner, hours, starts_at),
  INDEX ${prefix}tally_by_time (hours, starts_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which batches of them were added, so that none is added twice.
CREATE TABLE IF NOT EXISTS ${prefix}batch (
  id VARBINARY(64) NOT NULL PRIMARY KEY,
  made_at BIGINT NOT NULL,
  INDEX ${prefix}batch_by_time (made_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
