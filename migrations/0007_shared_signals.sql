-- Shared Signals: receivers of security events, and what they are to be told.

CREATE TABLE signal_streams (
  stream_id text PRIMARY KEY,
  client_id text NOT NULL,
  audience text NOT NULL,
  endpoint_url text,
  events_delivered text NOT NULL,
  description text,
  status text NOT NULL,
  status_reason text,
  told_from bigint NOT NULL,
  seen_at bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE INDEX signal_streams_by_client ON signal_streams (client_id, created_at);

CREATE TABLE signals (
  jti text PRIMARY KEY,
  stream_id text NOT NULL REFERENCES signal_streams (stream_id) ON DELETE CASCADE,
  claims text NOT NULL,
  attempts bigint NOT NULL,
  next_attempt_at bigint NOT NULL,
  settled_at bigint,
  last_error text,
  created_at bigint NOT NULL
);
CREATE INDEX signals_due ON signals (next_attempt_at) WHERE settled_at IS NULL;
CREATE INDEX signals_waiting ON signals (stream_id, created_at, jti) WHERE settled_at IS NULL;
CREATE INDEX signals_by_creation ON signals (created_at);
