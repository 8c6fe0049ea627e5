-- Status lists: each grant has an index of its own in them, and its bit is whether it has been revoked.

-- -1: none, as an older version writes it.
ALTER TABLE grants ADD COLUMN status_index bigint NOT NULL DEFAULT -1;
UPDATE grants SET status_index = numbered.status_index
  FROM (SELECT grant_id, row_number() OVER (ORDER BY created_at, grant_id) - 1 AS status_index FROM grants) AS numbered
  WHERE grants.grant_id = numbered.grant_id;
CREATE UNIQUE INDEX grants_by_status_index ON grants (status_index) WHERE status_index >= 0;
CREATE INDEX grants_by_revocation ON grants (revoked_at, status_index) WHERE revoked_at IS NOT NULL;

ALTER TABLE revoked_access_tokens ADD COLUMN revoked_at bigint NOT NULL DEFAULT 0;
CREATE INDEX revoked_access_tokens_by_revocation ON revoked_access_tokens (revoked_at, jti);

-- One row for each kind of number that is handed out in order.
CREATE TABLE counters (
  name text PRIMARY KEY,
  next_value bigint NOT NULL
);
INSERT INTO counters (name, next_value) SELECT 'status_index', count(*) FROM grants;
