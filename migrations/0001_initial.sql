-- One text for SQLite and PostgreSQL. Instants are epoch seconds; JSON and base64url are text.

CREATE TABLE accounts (
  account_id text PRIMARY KEY,
  username text NOT NULL,
  email text,
  email_verified_at bigint,
  name text,
  roles text NOT NULL,
  password_hash text,
  disabled_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX accounts_by_creation ON accounts (created_at, account_id);

-- What a person may type to say who they are. One name space, so that nobody's username is another's e-mail address.
CREATE TABLE account_identifiers (
  identifier text PRIMARY KEY,
  account_id text NOT NULL REFERENCES accounts (account_id) ON DELETE CASCADE
);
CREATE INDEX account_identifiers_by_account ON account_identifiers (account_id);

CREATE TABLE clients (
  client_id text PRIMARY KEY,
  client_secret_digest text,
  metadata text NOT NULL,
  disabled_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);

CREATE TABLE resources (
  resource text PRIMARY KEY,
  scopes text,
  access_token_seconds bigint,
  signing_alg text NOT NULL,
  introspection_clients text NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);

-- No foreign keys to accounts and clients: a revoked grant outlives both until it is swept.
CREATE TABLE grants (
  grant_id text PRIMARY KEY,
  client_id text NOT NULL,
  account_id text NOT NULL,
  session_id text NOT NULL,
  scope text NOT NULL,
  resources text NOT NULL,
  auth_time bigint NOT NULL,
  amr text NOT NULL,
  acr text,
  cnf text,
  generation bigint NOT NULL,
  rotated_at bigint NOT NULL,
  late_replay_generation bigint,
  idle_expires_at bigint NOT NULL,
  absolute_expires_at bigint NOT NULL,
  revoked_at bigint,
  revoked_because text,
  created_at bigint NOT NULL,
  address_prefix text,
  user_agent text
);
CREATE INDEX grants_by_account ON grants (account_id, created_at);
CREATE INDEX grants_by_client ON grants (client_id, created_at);
CREATE INDEX grants_by_session ON grants (session_id);
CREATE INDEX grants_by_creation ON grants (created_at, grant_id);
CREATE INDEX grants_by_absolute_expiry ON grants (absolute_expires_at);

CREATE TABLE revoked_access_tokens (
  jti text PRIMARY KEY,
  expires_at bigint NOT NULL
);
CREATE INDEX revoked_access_tokens_by_expiry ON revoked_access_tokens (expires_at);

CREATE TABLE throttles (
  key text PRIMARY KEY,
  window_ends_at bigint NOT NULL,
  attempts bigint NOT NULL,
  consecutive bigint NOT NULL,
  locks bigint NOT NULL,
  locked_until bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX throttles_by_expiry ON throttles (expires_at);

CREATE TABLE signing_keys (
  kid text PRIMARY KEY,
  alg text NOT NULL,
  public_jwk text NOT NULL,
  private_key_sealed text NOT NULL,
  created_at bigint NOT NULL,
  activated_at bigint,
  retired_at bigint,
  removed_at bigint
);
CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (alg) WHERE activated_at IS NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (alg) WHERE activated_at IS NOT NULL AND retired_at IS NULL AND removed_at IS NULL;

CREATE TABLE vault_secrets (
  name text NOT NULL,
  key_id bigint NOT NULL,
  sealed text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (name, key_id)
);

CREATE TABLE one_time_handles (
  digest text PRIMARY KEY,
  purpose text NOT NULL,
  subject text,
  expires_at bigint NOT NULL
);
CREATE INDEX one_time_handles_by_expiry ON one_time_handles (expires_at);

CREATE TABLE audit_records (
  audit_id text PRIMARY KEY,
  at bigint NOT NULL,
  event text NOT NULL,
  actor text,
  account_id text,
  client_id text,
  grant_id text,
  session_id text,
  address_prefix text,
  request_id text,
  detail text,
  seal bigint
);
CREATE INDEX audit_records_unsealed ON audit_records (audit_id) WHERE seal IS NULL;
CREATE INDEX audit_records_by_seal ON audit_records (seal) WHERE seal IS NOT NULL;
CREATE INDEX audit_records_by_account ON audit_records (account_id, audit_id);
CREATE INDEX audit_records_by_event ON audit_records (event, audit_id);

CREATE TABLE audit_seals (
  seal bigint PRIMARY KEY,
  previous_hash text NOT NULL,
  hash text NOT NULL,
  created_at bigint NOT NULL
);

-- A row to wait at, for transitions that have none of their own. It holds nothing.
CREATE TABLE locks (
  name text PRIMARY KEY,
  expires_at bigint NOT NULL
);
