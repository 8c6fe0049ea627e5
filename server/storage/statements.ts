/**
 * Every SQL text, once, for both engines (those of signing in are in `statements_*.ts`): `$1 …` parameters (a number may recur), `INSERT … ON CONFLICT`, row values,
 * `CAST` where PostgreSQL could not tell a parameter's type. A test prepares each one on the migrated schema.
 */
import {
  ACCOUNT,
  CLIENT,
  insert,
  insertSelect,
  list,
  OR_NOTHING,
  parameters,
  prefixed,
  qualified,
  REVOKED,
  sweep,
} from './columns.ts'

const RESOURCE = [
  'resource',
  'scopes',
  'access_token_seconds',
  'signing_alg',
  'introspection_clients',
  'authorization_details_types',
  'claims',
  'token_typ',
  'created_at',
  'updated_at',
] as const
const GRANT = [
  'grant_id',
  'client_id',
  'account_id',
  'session_id',
  'scope',
  'resources',
  'auth_time',
  'amr',
  'acr',
  'cnf',
  'claims',
  'authorization_details',
  'generation',
  'rotated_at',
  'late_replay_generation',
  'idle_expires_at',
  'absolute_expires_at',
  'revoked_at',
  'revoked_because',
  'created_at',
  'address_prefix',
  'user_agent',
  'status_index',
] as const
const SIGNING_KEY = [
  'kid',
  'alg',
  'public_jwk',
  'private_key_sealed',
  'created_at',
  'activated_at',
  'retired_at',
  'removed_at',
] as const
const AUDIT_RECORD = [
  'audit_id',
  'at',
  'event',
  'actor',
  'account_id',
  'client_id',
  'grant_id',
  'session_id',
  'address_prefix',
  'request_id',
  'detail',
] as const

export const PING = 'SELECT 1 AS ok'

// Accounts

export const INSERT_ACCOUNT = insert('accounts', ACCOUNT, OR_NOTHING)
export const INSERT_IDENTIFIER = insert('account_identifiers', ['identifier', 'account_id'], OR_NOTHING)
export const DELETE_IDENTIFIERS = 'DELETE FROM account_identifiers WHERE account_id = $1'
export const SELECT_ACCOUNT = `SELECT ${ACCOUNT.join(', ')} FROM accounts WHERE account_id = $1`
// IN, not =, here and in SELECT_GRANT_CONTEXT: SQLite (with STAT4) plans a join anew for each
// value that = compares with, and that costs ten times the read.
export const SELECT_ACCOUNT_BY_IDENTIFIER = `SELECT ${qualified('accounts', ACCOUNT)}
  FROM account_identifiers JOIN accounts ON accounts.account_id = account_identifiers.account_id
  WHERE account_identifiers.identifier IN ($1)`
export const SELECT_ACCOUNT_BY_LEGACY_USER_ID = `SELECT ${ACCOUNT.join(', ')} FROM accounts WHERE legacy_user_id IN ($1)`
/** How many names the two below look for at once; fewer are filled up with any of them. */
export const NAMES_AT_ONCE = 1000
export const SELECT_ACCOUNTS_BY_IDENTIFIERS = `SELECT ${qualified('accounts', ACCOUNT)}
  FROM account_identifiers JOIN accounts ON accounts.account_id = account_identifiers.account_id
  WHERE account_identifiers.identifier IN ${parameters(NAMES_AT_ONCE)}`
export const SELECT_ACCOUNTS_BY_LEGACY_USER_IDS = `SELECT ${ACCOUNT.join(', ')} FROM accounts
  WHERE legacy_user_id IN ${parameters(NAMES_AT_ONCE)}`
export const LIST_ACCOUNTS = list('accounts', ACCOUNT, ['created_at', 'account_id'])
export const UPDATE_ACCOUNT = `UPDATE accounts
  SET username = $2, email = $3, email_verified_at = $4, name = $5, roles = $6, profile = $7, updated_at = $8
  WHERE account_id = $1`
/** The same, while all of it is what was read before. */
export const UPDATE_ACCOUNT_AS_READ = `${UPDATE_ACCOUNT}
    AND username = $9 AND email IS NOT DISTINCT FROM $10 AND email_verified_at IS NOT DISTINCT FROM $11
    AND name IS NOT DISTINCT FROM $12 AND roles = $13 AND profile = $14`
/** `$12 …`: the password hash, the instant of disabling and the rest, as they were read: whoever changed them since wins. */
export const UPDATE_IMPORTED_ACCOUNT = `UPDATE accounts
  SET username = $2, email = $3, email_verified_at = $4, name = $5, roles = $6, profile = $7, updated_at = $8,
    password_hash = $9, disabled_at = $10, legacy_user_id = $11
  WHERE account_id = $1 AND password_hash IS NOT DISTINCT FROM $12 AND disabled_at IS NOT DISTINCT FROM $13
    AND username = $14 AND email IS NOT DISTINCT FROM $15 AND email_verified_at IS NOT DISTINCT FROM $16
    AND name IS NOT DISTINCT FROM $17 AND roles = $18 AND profile = $19`
export const REPLACE_PASSWORD_HASH = `UPDATE accounts SET password_hash = $3, updated_at = $4
  WHERE account_id = $1 AND password_hash IS NOT DISTINCT FROM $2`
export const DISABLE_ACCOUNT = `UPDATE accounts SET disabled_at = $2, updated_at = $2
  WHERE account_id = $1 AND disabled_at IS NULL`
export const ENABLE_ACCOUNT = `UPDATE accounts SET disabled_at = NULL, updated_at = $2
  WHERE account_id = $1 AND disabled_at IS NOT NULL`
/** Changes nothing: whoever disables the account at the same time waits for this batch, or this batch for them. */
export const HOLD_ACCOUNT = 'UPDATE accounts SET updated_at = updated_at WHERE account_id = $1'
export const SELECT_DISABLED_ACCOUNT =
  'SELECT account_id FROM accounts WHERE account_id = $1 AND disabled_at IS NOT NULL'
/** `$1`: the role as a JSON string. A quote inside another role is escaped, so the match is exact. */
export const SELECT_ADMINISTRATOR = `SELECT account_id FROM accounts
  WHERE disabled_at IS NULL AND replace(roles, $1, '') <> roles LIMIT 1`
const ACCOUNT_BIGINTS = ['email_verified_at', 'disabled_at', 'created_at', 'updated_at']
export const INSERT_FIRST_ADMINISTRATOR = `${insertSelect('accounts', ACCOUNT, ACCOUNT_BIGINTS)}
  WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE disabled_at IS NULL AND replace(roles, $13, '') <> roles)
  ON CONFLICT DO NOTHING`

// Clients and resources

export const INSERT_CLIENT = insert('clients', CLIENT, OR_NOTHING)
export const SELECT_CLIENT = `SELECT ${CLIENT.join(', ')} FROM clients WHERE client_id = $1`
export function listClients(filters: readonly 'origin'[]): string {
  return list('clients', CLIENT, ['client_id'], filters)
}
/** `$5` is 1 for a client with a secret, which it keeps when none is given. Disabling is for the statements below. */
export const UPDATE_CLIENT = `UPDATE clients SET metadata = $2, updated_at = $3,
    client_secret_digest = CASE WHEN CAST($5 AS bigint) = 1 THEN COALESCE($4, client_secret_digest) END,
    registration_access_token_digest = COALESCE($6, registration_access_token_digest)
  WHERE client_id = $1`
/** The same, for the version of the client that was read before. */
export const UPDATE_CLIENT_AS_READ = `${UPDATE_CLIENT} AND updated_at = $7`
/** A client's \`updated_at\` names its version: it never goes back. */
const CLIENT_UPDATED_AT = 'updated_at = CASE WHEN updated_at > $2 THEN updated_at ELSE $2 END'
export const DISABLE_CLIENT = `UPDATE clients SET disabled_at = $2, ${CLIENT_UPDATED_AT}
  WHERE client_id = $1 AND disabled_at IS NULL`
export const ENABLE_CLIENT = `UPDATE clients SET disabled_at = NULL, ${CLIENT_UPDATED_AT}
  WHERE client_id = $1 AND disabled_at IS NOT NULL`
export const DELETE_CLIENT = 'DELETE FROM clients WHERE client_id = $1'
/** What an administrator has decided about the client stays (`disabled_at`), and so does when it was used. */
export const SAVE_METADATA_DOCUMENT = `${insert('clients', CLIENT)}
  ON CONFLICT (client_id) DO UPDATE SET metadata = excluded.metadata,
    metadata_expires_at = excluded.metadata_expires_at, updated_at = excluded.updated_at
  WHERE clients.origin = 'metadata_document'`
export const TOUCH_CLIENT = `UPDATE clients SET last_used_at = $2
  WHERE client_id = $1 AND origin <> 'admin' AND (last_used_at IS NULL OR last_used_at <= $3)`
/**
 * `$1` unused since it was made before then, `$2` unused since then. Who might still come with a refresh token stays, and
 * so does who is to be kept out: a metadata document would be fetched anew.
 */
const UNUSED_CLIENT = `origin IN ('registered', 'metadata_document') AND disabled_at IS NULL
    AND ((last_used_at IS NULL AND created_at < $1) OR last_used_at < $2)
    AND NOT EXISTS (SELECT 1 FROM grants
      WHERE grants.client_id = clients.client_id AND grants.revoked_at IS NULL AND grants.idle_expires_at >= $2)`
export const LIST_UNUSED_CLIENTS = `SELECT client_id FROM clients WHERE ${UNUSED_CLIENT} LIMIT $3`
export const REAP_CLIENT = `DELETE FROM clients WHERE client_id = $3 AND ${UNUSED_CLIENT}`
export const COUNT_CLIENTS = 'SELECT count(*) AS clients FROM clients WHERE origin = $1 AND created_at >= $2'

export const INSERT_RESOURCE = insert('resources', RESOURCE, OR_NOTHING)
export const SELECT_RESOURCE = `SELECT ${RESOURCE.join(', ')} FROM resources WHERE resource = $1`
export const LIST_RESOURCES = list('resources', RESOURCE, ['resource'])
export const UPDATE_RESOURCE = `UPDATE resources
  SET scopes = $2, access_token_seconds = $3, signing_alg = $4, introspection_clients = $5,
    authorization_details_types = $6, claims = $7, token_typ = $8, updated_at = $9
  WHERE resource = $1`
export const SELECT_ALGORITHMS = 'SELECT DISTINCT signing_alg FROM resources ORDER BY signing_alg'
export const SELECT_DETAILS_TYPES =
  "SELECT DISTINCT authorization_details_types FROM resources WHERE authorization_details_types <> '[]'"

// Grants

export const INSERT_GRANT = insert('grants', GRANT)
/** Everything that a decision about one grant needs, in one read: the hot path of every refresh and introspection. */
export const SELECT_GRANT_CONTEXT = `SELECT ${qualified('grants', GRANT)},
    ${prefixed('client', CLIENT)}, ${prefixed('account', ACCOUNT)}
  FROM grants
  LEFT JOIN clients AS client ON client.client_id = grants.client_id
  LEFT JOIN accounts AS account ON account.account_id = grants.account_id
  WHERE grants.grant_id IN ($1)`
export const SELECT_GRANT_ID = 'SELECT grant_id FROM grants WHERE grant_id = $1'
export const ROTATE_GRANT = `UPDATE grants SET generation = generation + 1, rotated_at = $3, idle_expires_at = $4
  WHERE grant_id = $1 AND generation = $2 AND revoked_at IS NULL`
export const TOUCH_GRANT = `UPDATE grants SET idle_expires_at = $3
  WHERE grant_id = $1 AND generation = $2 AND revoked_at IS NULL`
export const RECORD_LATE_REPLAY = `UPDATE grants SET late_replay_generation = $3
  WHERE grant_id = $1 AND generation = $2 AND revoked_at IS NULL
    AND (late_replay_generation IS NULL OR late_replay_generation < $3)`
export const REVOKE_GRANT = `UPDATE grants SET revoked_at = $2, revoked_because = $3
  WHERE grant_id = $1 AND revoked_at IS NULL ${REVOKED}`

const REVOKE_CONDITIONS = {
  account_id: (parameter: string) => `account_id = ${parameter}`,
  client_id: (parameter: string) => `client_id = ${parameter}`,
  session_id: (parameter: string) => `session_id = ${parameter}`,
  issued_before: (parameter: string) => `created_at < ${parameter}`,
}
export type RevokeCondition = keyof typeof REVOKE_CONDITIONS
export const REVOKE_CONDITION_NAMES: readonly RevokeCondition[] = [
  'account_id',
  'client_id',
  'session_id',
  'issued_before',
]
/** `$1` now, `$2` why, then one parameter for each condition, in its order. At least one condition. */
export function revokeGrants(conditions: readonly RevokeCondition[]): string {
  const where = conditions.map((name, index) => REVOKE_CONDITIONS[name](`$${index + 3}`))
  return `UPDATE grants SET revoked_at = $1, revoked_because = $2
  WHERE revoked_at IS NULL AND ${where.join(' AND ')} ${REVOKED}`
}
export const REVOKE_GRANTS_OF_ACCOUNT = revokeGrants(['account_id'])
export const REVOKE_GRANTS_OF_CLIENT = revokeGrants(['client_id'])
export const REVOKE_GRANTS_OF_CONSENT = revokeGrants(['account_id', 'client_id'])

export function listGrants(filters: readonly ('account_id' | 'client_id' | 'session_id')[]): string {
  return list('grants', GRANT, ['created_at', 'grant_id'], filters)
}

export const INSERT_REVOKED_ACCESS_TOKEN = `${insert('revoked_access_tokens', ['jti', 'expires_at', 'revoked_at'], OR_NOTHING)}
  RETURNING revoked_at, jti AS revoked_jti, expires_at`
export const SELECT_REVOKED_ACCESS_TOKEN = 'SELECT jti FROM revoked_access_tokens WHERE jti = $1'

// Throttles

/** `$1` key, `$2` now, `$3` end of a window that begins now, `$4` limit, `$5` most failures in a row, `$6` when to sweep. */
export const CONSUME_ATTEMPT = `INSERT INTO throttles (key, window_ends_at, attempts, consecutive, locks, locked_until, expires_at)
  VALUES ($1, $3, 1, 1, 0, 0, $6)
  ON CONFLICT (key) DO UPDATE SET
    attempts = CASE WHEN throttles.window_ends_at <= $2 THEN 1 ELSE throttles.attempts + 1 END,
    window_ends_at = CASE WHEN throttles.window_ends_at <= $2 THEN $3 ELSE throttles.window_ends_at END,
    consecutive = throttles.consecutive + 1,
    expires_at = CASE WHEN throttles.expires_at > $6 THEN throttles.expires_at ELSE $6 END
  WHERE throttles.locked_until <= $2
    AND (throttles.window_ends_at <= $2 OR throttles.attempts < $4)
    AND throttles.consecutive < $5`
export const SELECT_THROTTLE = 'SELECT window_ends_at, consecutive, locks, locked_until FROM throttles WHERE key = $1'
/** `$2` locks so far, `$3` limit. The window ends with the lock, so that the attempts start anew after it. */
export const LOCK_THROTTLE = `UPDATE throttles SET locks = locks + 1, locked_until = $4, window_ends_at = $4,
    expires_at = CASE WHEN expires_at > $5 THEN expires_at ELSE $5 END
  WHERE key = $1 AND locks = $2 AND attempts >= $3`
export const GIVE_BACK_ATTEMPT = `UPDATE throttles
  SET attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END, consecutive = 0, locks = 0 WHERE key = $1`
export const WITHDRAW_ATTEMPT = `UPDATE throttles
  SET attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END,
    consecutive = CASE WHEN consecutive > 0 THEN consecutive - 1 ELSE 0 END WHERE key = $1`
export const DELETE_THROTTLE = 'DELETE FROM throttles WHERE key = $1'

// Keys, secrets and one-time handles

export const INSERT_SIGNING_KEY = insert('signing_keys', SIGNING_KEY, OR_NOTHING)
export const LIST_SIGNING_KEYS = `SELECT ${SIGNING_KEY.join(', ')} FROM signing_keys ORDER BY created_at, kid`
export const RETIRE_SIGNING_KEY = `UPDATE signing_keys SET retired_at = $2
  WHERE kid = $1 AND activated_at IS NOT NULL AND retired_at IS NULL AND removed_at IS NULL`
export const ACTIVATE_SIGNING_KEY = `UPDATE signing_keys SET activated_at = $2
  WHERE kid = $1 AND activated_at IS NULL AND removed_at IS NULL`
export const REMOVE_SIGNING_KEY = `UPDATE signing_keys SET removed_at = $2, private_key_sealed = ''
  WHERE kid = $1 AND removed_at IS NULL`
export const REMOVE_SIGNING_KEYS = `UPDATE signing_keys SET removed_at = $2, private_key_sealed = ''
  WHERE alg = $1 AND removed_at IS NULL`
export const REPLACE_SEALED_SIGNING_KEY = `UPDATE signing_keys SET private_key_sealed = $3
  WHERE kid = $1 AND private_key_sealed = $2`

/** Never to an earlier fetch: another node may have been quicker. */
export const RECORD_KEY_FETCH = insert(
  'key_fetchers',
  ['resource', 'address_prefix', 'agent', 'kids', 'first_fetched_at', 'fetched_at'],
  ` ON CONFLICT (resource, address_prefix, agent) DO UPDATE SET kids = excluded.kids, fetched_at = excluded.fetched_at
  WHERE key_fetchers.fetched_at <= excluded.fetched_at`,
)
/** `$1` the resource, `$2` how many of its fetchers stay: those that fetched last. */
export const TRIM_KEY_FETCHERS = `DELETE FROM key_fetchers
  WHERE resource = $1 AND (fetched_at, address_prefix, agent) <= (
    SELECT fetched_at, address_prefix, agent FROM key_fetchers WHERE resource = $1
    ORDER BY fetched_at DESC, address_prefix DESC, agent DESC LIMIT 1 OFFSET $2)`
export const LIST_KEY_FETCHERS = `SELECT fetcher.resource, fetcher.address_prefix, fetcher.agent, fetcher.kids,
    fetcher.first_fetched_at, fetcher.fetched_at, resources.signing_alg
  FROM key_fetchers AS fetcher LEFT JOIN resources ON resources.resource = fetcher.resource
  WHERE (fetcher.resource, fetcher.address_prefix, fetcher.agent) > ($1, $2, $3)
  ORDER BY fetcher.resource, fetcher.address_prefix, fetcher.agent LIMIT $4`

export const INSERT_VAULT_SECRET = insert('vault_secrets', ['name', 'key_id', 'sealed', 'created_at'], OR_NOTHING)
export const LIST_VAULT_SECRETS = 'SELECT name, key_id, sealed, created_at FROM vault_secrets ORDER BY name, key_id'
export const REPLACE_SEALED_VAULT_SECRET =
  'UPDATE vault_secrets SET sealed = $4 WHERE name = $1 AND key_id = $2 AND sealed = $3'

export const INSERT_ONE_TIME_HANDLE = insert('one_time_handles', ['digest', 'purpose', 'subject', 'expires_at'])
export const SUPERSEDE_ONE_TIME_HANDLES =
  'DELETE FROM one_time_handles WHERE purpose = $1 AND subject IS NOT DISTINCT FROM $2'
export const CLAIM_ONE_TIME_HANDLE =
  'DELETE FROM one_time_handles WHERE digest = $1 AND purpose = $2 AND expires_at > $3'
export const SELECT_LIVE_ONE_TIME_HANDLE =
  'SELECT digest FROM one_time_handles WHERE digest = $1 AND purpose = $2 AND expires_at > $3'

// Audit trail

export const INSERT_AUDIT_RECORD = insert('audit_records', AUDIT_RECORD)
/** `$1` the cursor, `$2` the limit, then one parameter for each column, in its order. */
export function listAudit(columns: readonly ('event' | 'account_id')[]): string {
  const where = columns.map((column, index) => ` AND ${column} = $${index + 3}`).join('')
  return `SELECT ${AUDIT_RECORD.join(', ')} FROM audit_records
  WHERE audit_id < $1${where} ORDER BY audit_id DESC LIMIT $2`
}
export const LIST_UNSEALED_AUDIT = `SELECT ${AUDIT_RECORD.join(', ')} FROM audit_records
  WHERE seal IS NULL ORDER BY audit_id LIMIT $1`
export const SELECT_LAST_SEAL = 'SELECT seal, hash FROM audit_seals ORDER BY seal DESC LIMIT 1'
export const INSERT_SEAL = insert('audit_seals', ['seal', 'previous_hash', 'hash', 'created_at'], OR_NOTHING)
export const SEAL_AUDIT = 'UPDATE audit_records SET seal = $1 WHERE audit_id >= $2 AND audit_id <= $3 AND seal IS NULL'
export const LIST_SEALS = `SELECT seal, previous_hash, hash, created_at FROM audit_seals
  WHERE seal > $1 ORDER BY seal LIMIT $2`
export const LIST_SEALED_AUDIT = `SELECT ${AUDIT_RECORD.join(', ')}, seal FROM audit_records
  WHERE seal >= $1 AND seal <= $2 ORDER BY seal, audit_id`

// Locks

/** Takes the row's lock until the end of the transaction: the others of its kind wait. */
export const TAKE_LOCK = `INSERT INTO locks (name, expires_at) VALUES ($1, $2)
  ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at`

// Sweeping

export const SWEEP_GRANTS = sweep('grants', 'grant_id', 'absolute_expires_at <= $1')
export const SWEEP_REVOKED_ACCESS_TOKENS = sweep('revoked_access_tokens', 'jti', 'expires_at <= $1')
export const SWEEP_THROTTLES = sweep('throttles', 'key', 'expires_at <= $1')
export const SWEEP_ONE_TIME_HANDLES = sweep('one_time_handles', 'digest', 'expires_at <= $1')
export const SWEEP_KEY_FETCHERS = sweep('key_fetchers', '(resource, address_prefix, agent)', 'fetched_at <= $1')
export const SWEEP_LOCKS = sweep('locks', 'name', 'expires_at <= $1')

// Migrations

export const CREATE_SCHEMA_MIGRATIONS = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version bigint PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at bigint NOT NULL
)`
export const LIST_SCHEMA_MIGRATIONS = 'SELECT version, name, checksum FROM schema_migrations ORDER BY version'
export const INSERT_SCHEMA_MIGRATION = insert(
  'schema_migrations',
  ['version', 'name', 'checksum', 'applied_at'],
  OR_NOTHING,
)
