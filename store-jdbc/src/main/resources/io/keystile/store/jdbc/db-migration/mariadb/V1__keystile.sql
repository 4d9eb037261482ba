-- Keystile, schema 1: MariaDB and MySQL. Compared text is binary: most collations ignore trailing blanks.
-- ${prefix} is the table prefix, keystile_ by default. Times are milliseconds since 1970 in UTC.
-- There are no foreign keys: each change of a key writes all its rows in one transaction.

-- The keys. live_until and newest_created are derived from the secret versions.
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
  metadata TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ends_at BIGINT,
  revoked_at BIGINT,
  revoked_reason VARCHAR(40),
  revoked_note VARCHAR(500),
  revoked_by VARCHAR(255),
  revoked_last_used BIGINT,
  seal VARCHAR(200),
  live_until BIGINT,
  newest_created BIGINT NOT NULL,
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
