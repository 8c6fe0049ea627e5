/** Every SQL text about status lists: handing out indices, and what has been revoked. */

/** `$1` how many. */
export const LEASE_STATUS_INDICES = `UPDATE counters SET next_value = next_value + $1
  WHERE name = 'status_index' RETURNING next_value`
/** The index that comes next, and the least one that a grant still has. */
export const SELECT_STATUS_EXTENT = `SELECT next_value AS next_index,
    (SELECT min(status_index) FROM grants WHERE status_index >= 0) AS first_index
  FROM counters WHERE name = 'status_index'`
/** From the index on `revoked_at` alone. */
export const LIST_REVOKED_GRANTS = `SELECT revoked_at, status_index FROM grants
  WHERE revoked_at IS NOT NULL AND (revoked_at, status_index) > ($1, $2)
  ORDER BY revoked_at, status_index LIMIT $3`
export const LIST_REVOKED_ACCESS_TOKENS = `SELECT revoked_at, jti, expires_at FROM revoked_access_tokens
  WHERE (revoked_at, jti) > ($1, $2) ORDER BY revoked_at, jti LIMIT $3`
