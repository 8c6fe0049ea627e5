-- Signing people in at this server: sessions, paused requests, codes, consents; devices; clients that registered
-- themselves; what may be used once; who is to hear of a logout.

ALTER TABLE clients ADD COLUMN origin text NOT NULL DEFAULT 'admin';
ALTER TABLE clients ADD COLUMN registration_access_token_digest text;
ALTER TABLE clients ADD COLUMN metadata_expires_at bigint;
ALTER TABLE clients ADD COLUMN last_used_at bigint;
CREATE INDEX clients_by_origin ON clients (origin, created_at);

ALTER TABLE accounts ADD COLUMN profile text NOT NULL DEFAULT '{}';

ALTER TABLE resources ADD COLUMN authorization_details_types text NOT NULL DEFAULT '[]';

ALTER TABLE grants ADD COLUMN claims text;
ALTER TABLE grants ADD COLUMN authorization_details text NOT NULL DEFAULT '[]';
CREATE INDEX grants_by_account_and_client ON grants (account_id, client_id);

CREATE TABLE sessions (
  session_id text PRIMARY KEY,
  handle_digest text NOT NULL,
  account_id text NOT NULL,
  auth_time bigint NOT NULL,
  amr text NOT NULL,
  acr text,
  remembered bigint NOT NULL,
  idle_expires_at bigint NOT NULL,
  absolute_expires_at bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  ended_at bigint,
  ended_because text,
  created_at bigint NOT NULL,
  address_prefix text,
  user_agent text
);
CREATE UNIQUE INDEX sessions_by_handle ON sessions (handle_digest);
CREATE INDEX sessions_by_account ON sessions (account_id, created_at);
CREATE INDEX sessions_by_creation ON sessions (created_at, session_id);
CREATE INDEX sessions_by_absolute_expiry ON sessions (absolute_expires_at);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- The clients that a session has signed somebody in to: they hear of its end.
CREATE TABLE session_clients (
  session_id text NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  client_id text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (session_id, client_id)
);

CREATE TABLE interactions (
  interaction_id text PRIMARY KEY,
  browser_digest text NOT NULL,
  request text NOT NULL,
  authenticated_at bigint,
  selected_at bigint,
  consented_at bigint,
  consented_session_id text,
  expires_at bigint NOT NULL,
  created_at bigint NOT NULL
);
CREATE INDEX interactions_by_expiry ON interactions (expires_at);

CREATE TABLE pushed_requests (
  request_uri_digest text PRIMARY KEY,
  client_id text NOT NULL,
  parameters text NOT NULL,
  dpop_jkt text,
  expires_at bigint NOT NULL
);
CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);

CREATE TABLE authorization_codes (
  code_digest text PRIMARY KEY,
  grant_id text NOT NULL,
  client_id text NOT NULL,
  account_id text NOT NULL,
  session_id text NOT NULL,
  redirect_uri text NOT NULL,
  redirect_uri_sent bigint NOT NULL,
  code_challenge text,
  dpop_jkt text,
  nonce text,
  scope text NOT NULL,
  resources text NOT NULL,
  claims text,
  authorization_details text NOT NULL,
  auth_time bigint NOT NULL,
  amr text NOT NULL,
  acr text,
  expires_at bigint NOT NULL,
  claimed_at bigint
);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

CREATE TABLE consents (
  account_id text NOT NULL,
  client_id text NOT NULL,
  scope text NOT NULL,
  resources text NOT NULL,
  redirect_hosts text NOT NULL,
  claims text NOT NULL,
  granted_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (account_id, client_id)
);
CREATE INDEX consents_by_client ON consents (client_id);

CREATE TABLE device_codes (
  device_code_digest text PRIMARY KEY,
  user_code_digest text NOT NULL,
  client_id text NOT NULL,
  grant_id text NOT NULL,
  scope text NOT NULL,
  resources text NOT NULL,
  authorization_details text NOT NULL,
  dpop_jkt text,
  interval_seconds bigint NOT NULL,
  last_polled_at bigint,
  claimed_session_id text,
  approved_at bigint,
  denied_at bigint,
  account_id text,
  auth_time bigint,
  amr text,
  acr text,
  redeemed_at bigint,
  expires_at bigint NOT NULL,
  created_at bigint NOT NULL,
  address_prefix text,
  user_agent text
);
CREATE UNIQUE INDEX device_codes_by_user_code ON device_codes (user_code_digest);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);

-- What may be seen once: the jti of assertions and of DPoP proofs.
CREATE TABLE used_ids (
  id text PRIMARY KEY,
  expires_at bigint NOT NULL
);
CREATE INDEX used_ids_by_expiry ON used_ids (expires_at);

CREATE TABLE initial_access_tokens (
  token_id text PRIMARY KEY,
  digest text NOT NULL,
  uses_left bigint,
  expires_at bigint NOT NULL,
  created_at bigint NOT NULL
);
CREATE UNIQUE INDEX initial_access_tokens_by_digest ON initial_access_tokens (digest);
CREATE INDEX initial_access_tokens_by_expiry ON initial_access_tokens (expires_at);

CREATE TABLE logout_deliveries (
  session_id text NOT NULL,
  client_id text NOT NULL,
  account_id text NOT NULL,
  attempts bigint NOT NULL,
  next_attempt_at bigint NOT NULL,
  delivered_at bigint,
  failed_at bigint,
  last_error text,
  created_at bigint NOT NULL,
  PRIMARY KEY (session_id, client_id)
);
CREATE INDEX logout_deliveries_due ON logout_deliveries (next_attempt_at) WHERE delivered_at IS NULL AND failed_at IS NULL;
CREATE INDEX logout_deliveries_by_creation ON logout_deliveries (created_at, session_id, client_id);
